package quota

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"time"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// The states of a request for more, as Service Quotas has them.
const (
	Pending  = "PENDING"
	Approved = "APPROVED"
	Denied   = "DENIED"
)

// ByID returns a quota by its service and code in Service Quotas.
func ByID(service, code string) (*Quota, error) {
	known := false
	for _, q := range all {
		if known = known || q.Service == service; q.Service == service && q.ID == code {
			return q, nil
		}
	}
	if !known {
		return nil, fault.New(fault.Missing, "NoSuchResourceException", "The service '%s' is not known.", service)
	}
	return nil, fault.New(fault.Missing, "NoSuchResourceException", "The service '%s' has no quota '%s'.", service, code)
}

// Ask writes down that an account wants more of a quota. There is one open
// request at a time for each, and it is for more than there is.
func Ask(tx *store.Tx, who action.Caller, q *Quota, desired int64, requester string, now time.Time) (*store.QuotaRequest, error) {
	b, err := OfAccount(tx, who.Account, q.Name)
	if err != nil {
		return nil, err
	}
	if desired <= b.Most {
		return nil, fault.New(fault.Invalid, "InvalidParameterValueException", "The quota is %s already; more than that can be asked for.", amount(b.Most))
	}
	raw := make([]byte, 20)
	rand.Read(raw)
	r := &store.QuotaRequest{ID: hex.EncodeToString(raw), Account: who.Account, Service: q.Service, Code: q.ID, Desired: desired,
		Status: Pending, Requester: requester, Created: now, Updated: now}
	if err := tx.Add(r); store.Taken(err) {
		return nil, fault.New(fault.Conflict, "ResourceAlreadyExistsException", "Only one open request is allowed per quota, and there is one.")
	} else if err != nil {
		return nil, err
	}
	return r, nil
}

func amount(n int64) string {
	if n == None {
		return "without bound"
	}
	return fmt.Sprint(n)
}

// Approve gives an account what a request asks for: it lays a policy on the
// account that bounds this quota alone, in place of the last such one. A
// tighter bound in another policy is the administrator's to take away first.
func Approve(tx *store.Tx, request, by string, now time.Time) (*store.QuotaRequest, error) {
	r, q, err := open(tx, request)
	if err != nil {
		return nil, err
	}
	p := &store.InlinePolicy{Holder: r.Account, Name: "quota-" + q.ID, Account: r.Account, Created: now, Document: fmt.Sprintf(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Limit","Action":"*","Resource":"*","Condition":{"NumericLessThanEquals":{"%s":"%d"}}}]}`, q.Name, r.Desired)}
	if err := tx.Put(p); err != nil {
		return nil, err
	}
	b, err := OfAccount(tx, r.Account, q.Name)
	if err != nil {
		return nil, err
	}
	if b.Most < r.Desired {
		return nil, fault.New(fault.Conflict, "InvalidResourceState", "The policy %s of the account %s limits it to %d; change that one first.", b.By, r.Account, b.Most)
	}
	err = tx.AnnounceChange(store.Change{Account: r.Account, Kind: "account", ID: r.Account, Name: p.Name, ARN: "arn:aws:iam::" + r.Account + ":root", What: "changed"}, now)
	if err != nil {
		return nil, err
	}
	return r, decide(tx, r, Approved, by, now)
}

// Deny answers a request with no.
func Deny(tx *store.Tx, request, by string, now time.Time) (*store.QuotaRequest, error) {
	r, _, err := open(tx, request)
	if err != nil {
		return nil, err
	}
	return r, decide(tx, r, Denied, by, now)
}

func decide(tx *store.Tx, r *store.QuotaRequest, status, by string, now time.Time) error {
	r.Status, r.DecidedBy, r.Updated = status, by, now
	return tx.Put(r)
}

func open(tx *store.Tx, request string) (*store.QuotaRequest, *Quota, error) {
	r, err := tx.QuotaRequest(store.AnyAccount, request)
	if err != nil {
		return nil, nil, err
	}
	if r.Status != Pending {
		return nil, nil, fault.New(fault.Conflict, "InvalidResourceState", "The request %s was decided on: it is %s.", r.ID, r.Status)
	}
	q, err := ByID(r.Service, r.Code)
	return r, q, err
}
