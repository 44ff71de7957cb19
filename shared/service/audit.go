package service

import (
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"karri/shared/audit"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/rest"
)

// openAudit opens STATE/audit, notes there what the internal API is asked, and
// lets cloudctl take over what concerns management; from a node, by way of the
// clusterctl of its zone.
func (s *Service) openAudit() (err error) {
	s.Audit, err = audit.Open(filepath.Join(s.State, "audit"), audit.Options{
		Daemon: s.Identity().String(), Keep: int64(s.AuditMiB) << 20, Age: time.Duration(s.AuditDays) * 24 * time.Hour, Log: s.Log, Wrote: s.audited,
	})
	if err != nil {
		return err
	}
	s.Internal.Audit = s.Audit.Note
	s.Metrics.Gauge("karri_audit_lost", "Lines of the audit log that could not be written and are not yet accounted for there.", func() float64 {
		return float64(s.Audit.Lost())
	})
	above := rest.Roles(pki.Cloudctl)
	if self := s.Identity(); self.Role == pki.Nodectl {
		above = func(who pki.Identity) bool { return who.Role == pki.Clusterctl && who.Zone == self.Zone }
	}
	s.Internal.Handle("GET", "/v1/audit", above, func(w http.ResponseWriter, r *http.Request) error {
		at, err := head(r)
		if err != nil {
			return err
		}
		rest.Unaudited(r.Context())
		p, err := s.Audit.After(at)
		if err != nil {
			return err
		}
		return rest.JSON(w, p)
	})
	s.Internal.Handle("GET", "/v1/audit/verify", above, func(w http.ResponseWriter, r *http.Request) error {
		at, err := head(r)
		if err != nil {
			return err
		}
		report, err := s.Audit.Verify(at)
		if err != nil {
			return err
		}
		return rest.JSON(w, report)
	})
	return nil
}

// OnAudited makes f be called after lines were written to the audit log.
func (s *Service) OnAudited(f func()) { s.onAudited.Store(&f) }

func (s *Service) audited() {
	if f := s.onAudited.Load(); f != nil {
		(*f)()
	}
}

// head reads a place in the log from the query.
func head(r *http.Request) (audit.Head, error) {
	q := r.URL.Query()
	seq, err := strconv.ParseUint(q.Get("after"), 10, 64)
	if err != nil && q.Has("after") {
		return audit.Head{}, fault.New(fault.Invalid, "BadRequest", "after is no number.")
	}
	return audit.Head{Seq: seq, Hash: q.Get("hash")}, nil
}
