// Package audit is a log of who asked what, and what came of it, in which a
// change shows.
//
// A Log is a folder of segments, files of lines of JSON. Each line names its
// number and the SHA-256 of the line before, the first one that of the log's
// own id, so that a line that is changed, removed, put elsewhere or put between
// breaks the chain; Verify finds where. Who cuts lines off the end, or writes
// the whole chain anew, is found by whoever remembers the hash of a line:
// cloudctl does, of every daemon.
//
// Note numbers and chains a line in memory, without waiting for the disk; one
// writer puts what has gathered into the file every few milliseconds, and syncs
// it once a second. What a killed process loses is what it noted just before,
// which is the end of the log, and perhaps the rest of a line that was half
// written: that is taken off when the log is opened. While the disk takes
// nothing, lines wait in memory up to a bound; how many were lost beyond is
// itself a line.
//
// What is too old or too much is pruned, whole segments at a time: the log says
// so in a line, the last line that went is kept as an anchor, from which what is
// left follows, and then the segments go (prune.go).
package audit

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"

	"karri/shared/identity"
)

// A Line is a request and what came of it. Names, never secrets.
type Line struct {
	Seq    uint64    `json:"seq"`  // set by the log
	Prev   string    `json:"prev"` // of the line before; set by the log
	Time   time.Time `json:"time"`
	Daemon string    `json:"daemon"` // set by the log

	Service string `json:"service"` // ec2, s3, internal
	Action  string `json:"action"`
	Data    bool   `json:"data,omitempty"` // about what is in a thing, not the thing
	Read    bool   `json:"read,omitempty"` // changes nothing

	Kind      string `json:"kind,omitempty"` // of who asks: root, user, role, federated, component, anonymous
	Account   string `json:"account,omitempty"`
	ARN       string `json:"arn,omitempty"`
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	AccessKey string `json:"key,omitempty"`
	// Claimed is the key or the component that a request names which did not
	// prove it: the signature or token is wrong, or the key unknown or inactive.
	Claimed string     `json:"claimed,omitempty"`
	Auth    string     `json:"auth,omitempty"` // how: signature, presigned, form, certificate
	MFA     bool       `json:"mfa,omitempty"`
	For     string     `json:"for,omitempty"`    // account on whose behalf a component asks
	Role    string     `json:"role,omitempty"`   // ARN of the role of a session
	Issued  *time.Time `json:"issued,omitempty"` // of a session

	Source    string   `json:"source,omitempty"` // address
	Agent     string   `json:"agent,omitempty"`
	On        []string `json:"on,omitempty"` // ARNs
	RequestID string   `json:"request"`

	Params json.RawMessage `json:"params,omitempty"` // of a change: what was asked for
	Made   json.RawMessage `json:"made,omitempty"`   // and which things came of it

	Code     string          `json:"code,omitempty"` // of the refusal or failure; "": done
	Text     string          `json:"text,omitempty"`
	Decision json.RawMessage `json:"decision,omitempty"` // of the policies, when they refused
}

// Bounds of what others wrote.
const (
	maxText     = 1000
	maxAgent    = 256
	maxOn       = 20
	maxDecision = 16 << 10
	maxJSON     = 2 * maxParams
)

// append encodes l as one line of JSON without its end.
func (l *Line) append(b []byte, prev [32]byte) []byte {
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, l.Seq, 10)
	b = append(b, `,"prev":"`...)
	b = hex.AppendEncode(b, prev[:])
	b = append(b, `","time":"`...)
	b = l.Time.UTC().AppendFormat(b, time.RFC3339Nano)
	b = append(b, '"')
	text := func(name, value string, most int) {
		if value == "" {
			return
		}
		b = append(append(append(b, `,"`...), name...), `":`...)
		b = appendString(b, cut(value, most))
	}
	flag := func(name string, value bool) {
		if value {
			b = append(append(append(b, `,"`...), name...), `":true`...)
		}
	}
	text("daemon", l.Daemon, maxText)
	b = append(b, `,"service":`...)
	b = appendString(b, cut(l.Service, maxText))
	b = append(b, `,"action":`...)
	b = appendString(b, cut(l.Action, maxText))
	flag("data", l.Data)
	flag("read", l.Read)
	text("kind", l.Kind, maxText)
	text("account", l.Account, maxText)
	text("arn", l.ARN, 2*maxText)
	text("id", l.ID, maxText)
	text("name", l.Name, maxText)
	text("key", l.AccessKey, maxText)
	text("claimed", l.Claimed, maxText)
	text("auth", l.Auth, maxText)
	flag("mfa", l.MFA)
	text("for", l.For, maxText)
	text("role", l.Role, 2*maxText)
	if l.Issued != nil {
		b = append(append(b, `,"issued":"`...), l.Issued.UTC().Format(time.RFC3339)...)
		b = append(b, '"')
	}
	text("source", l.Source, maxText)
	text("agent", l.Agent, maxAgent)
	b = appendOn(b, l.On)
	b = append(b, `,"request":`...)
	b = appendString(b, cut(l.RequestID, maxText))
	b = appendJSON(b, "params", l.Params, maxJSON)
	b = appendJSON(b, "made", l.Made, maxJSON)
	text("code", l.Code, maxText)
	text("text", l.Text, maxText)
	b = appendJSON(b, "decision", l.Decision, maxDecision)
	return append(b, '}')
}

// appendOn writes what a request is about, some of it when it is much.
func appendOn(b []byte, all []string) []byte {
	for i, on := range all[:min(len(all), maxOn)] {
		if i == 0 {
			b = append(b, `,"on":[`...)
		} else {
			b = append(b, ',')
		}
		b = appendString(b, cut(on, 2*maxText))
	}
	if len(all) > 0 {
		b = append(b, ']')
	}
	return b
}

// appendJSON writes a member that is JSON already, if it is and is not too long.
func appendJSON(b []byte, name string, value json.RawMessage, most int) []byte {
	if len(value) == 0 || len(value) > most || !json.Valid(value) {
		return b
	}
	b = append(append(append(b, `,"`...), name...), `":`...)
	return append(b, compact(value)...)
}

// compact makes sure that JSON stands in one line.
func compact(b []byte) []byte {
	for _, c := range b {
		if c == '\n' || c == '\r' {
			var v any
			if json.Unmarshal(b, &v) != nil {
				return []byte("null")
			}
			out, err := json.Marshal(v)
			if err != nil {
				return []byte("null")
			}
			return out
		}
	}
	return b
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most]
}

const digits = "0123456789abcdef"

// appendString writes a string of JSON; what is no UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
				i++
				continue
			}
			b = append(b, s[from:i]...)
			if c == '"' || c == '\\' {
				b = append(b, '\\', c)
			} else {
				b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
			}
			i++
			from = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = append(append(b, s[from:i]...), `\ufffd`...)
			from = i + 1
		}
		i += n
	}
	return append(append(b, s[from:]...), '"')
}

// Know fills in who asks.
func (l *Line) Know(i *identity.Identity) {
	if i != nil {
		l.Kind, l.ID, l.Name, l.MFA, l.Role, l.Issued = i.Kind, i.ID, i.Name, i.MFA != nil, i.Role, i.Issued
	}
}

type lineKey struct{}

// With returns a context for the work on a request whose line is l, so that who
// decides can say why.
func With(ctx context.Context, l *Line) context.Context { return context.WithValue(ctx, lineKey{}, l) }

// Decided keeps why the policies refused the request of ctx.
func Decided(ctx context.Context, why any) {
	if l, ok := ctx.Value(lineKey{}).(*Line); ok {
		if b, err := json.Marshal(why); err == nil {
			l.Decision = b
		}
	}
}
