package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"karri/cloudctl/store"
	"karri/shared/audit"
	"karri/shared/fault"
	"karri/shared/pki"
)

const (
	mostLines = 20_000    // of a part; audit's own bound
	longest   = 256 << 10 // bytes of a line
	ahead     = 24 * time.Hour
)

// wrongForm is the answer of a daemon about its log that is none.
func wrongForm(daemon, format string, args ...any) error {
	return fault.New(fault.Conflict, "AuditLogForm", "%s answers about its audit log what cannot be: %s.", daemon, fmt.Sprintf(format, args...))
}

// logForm reports whether id may be that of a log.
func logForm(id string) bool {
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < '2' || c > '7') {
			return false
		}
	}
	return len(id) >= 16 && len(id) <= 64
}

// read makes rows of a part of the log of head's daemon. What is in the wrong
// form is refused as a whole. A line that the daemon cannot have written, since
// it speaks of what others are asked, is left out; that, and lines that do not
// follow from each other, are the problem that is returned: a daemon is believed
// what it says of itself alone.
func read(head store.AuditHead, p audit.Part, now time.Time) (rows []store.AuditLine, problem string, err error) {
	wrong := func(format string, args ...any) ([]store.AuditLine, string, error) {
		return nil, "", wrongForm(head.Daemon, format, args...)
	}
	seq, hash := uint64(head.Seq), head.Hash
	if p.Head.Seq < seq || p.Head.Seq > math.MaxInt64 || len(p.Lines) > mostLines {
		return wrong("%d lines up to line %d after line %d", len(p.Lines), p.Head.Seq, seq)
	}
	if sum, err := hex.DecodeString(p.Head.Hash); err != nil || len(sum) != sha256.Size && p.Head.Seq > 0 && p.Head != (audit.Head{Seq: seq, Hash: hash}) {
		return wrong("the hash %.80q", p.Head.Hash)
	}
	say := func(format string, args ...any) {
		if problem == "" {
			problem = fmt.Sprintf(format, args...)
		}
	}
	for _, raw := range p.Lines {
		var line audit.Line
		if len(raw) > longest || json.Unmarshal([]byte(raw), &line) != nil || line.Seq <= seq || line.Seq > p.Head.Seq {
			return wrong("a line behind line %d", seq)
		}
		if line.Seq == seq+1 && hash != "" && line.Prev != hash {
			say("line %d does not follow from the line before: one of them was changed", line.Seq)
		}
		sum := sha256.Sum256([]byte(raw))
		seq, hash = line.Seq, hex.EncodeToString(sum[:])
		if why := foreign(head.Daemon, &line, now); why != "" {
			say("line %d %s: it is not taken over", line.Seq, why)
			continue
		}
		rows = append(rows, row(p.Log, &line, []byte(raw)))
	}
	if len(p.Lines) > 0 && seq == p.Head.Seq && hash != p.Head.Hash {
		say("line %d is not the one that its hash is given of", seq)
	}
	return rows, problem, nil
}

// foreign says what of a line its daemon cannot have written; "": nothing.
func foreign(daemon string, l *audit.Line, now time.Time) string {
	who, _ := pki.Parse(daemon) // of nobody: of the least
	service := l.Service == "internal" || l.Service == "audit"
	switch {
	case l.Daemon != daemon:
		return fmt.Sprintf("names %.100q as its daemon", l.Daemon)
	case who.Role == pki.Cloudctl:
		return ""
	case l.Time.After(now.Add(ahead)):
		return "is of the future"
	case who.Role == pki.Walrus && (service || l.Service == "s3"):
		return ""
	case !service:
		return fmt.Sprintf("is about the service %.100q", l.Service)
	case l.Account != "" || len(l.Decision) > 0 || len(l.Params) > 0 || len(l.Made) > 0:
		return "speaks of users"
	}
	return ""
}
