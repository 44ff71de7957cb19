package journal

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// An Entry is one request to a bucket, or one end that its lifecycle made.
type Entry struct {
	Owner     string // canonical id of the bucket's owner
	Bucket    string
	Time      time.Time
	Remote    string // address
	Requester string
	RequestID string
	Operation string // "REST.GET.OBJECT"
	Key       string
	URI       string // "GET /bucket/key HTTP/1.1"
	Status    int
	Error     string // code
	Sent      int64
	Size      int64 // of the object; -1: unknown
	Total     time.Duration
	Referer   string
	UserAgent string
	Version   string
	HostID    string
	Signature string // "SigV4"
	Cipher    string
	Auth      string // "AuthHeader", "QueryString"
	Host      string
	TLS       string
	ACL       bool // a list was needed to allow it
}

// Line returns the entry in the form of S3's server access logs.
func (e *Entry) Line() string {
	dash := func(s string) string {
		if s == "" {
			return "-"
		}
		return strings.NewReplacer(" ", "+", "\n", "", "\t", "+").Replace(s)
	}
	number := func(n int64) string {
		if n < 0 {
			return "-"
		}
		return strconv.FormatInt(n, 10)
	}
	status, sent, total, acl := "-", "-", "-", "-"
	if e.Status > 0 {
		status, total = strconv.Itoa(e.Status), strconv.FormatInt(e.Total.Milliseconds(), 10)
	}
	if e.Sent > 0 {
		sent = strconv.FormatInt(e.Sent, 10)
	}
	if e.ACL {
		acl = "Yes"
	}
	fields := []string{
		dash(e.Owner), dash(e.Bucket), e.Time.UTC().Format("[02/Jan/2006:15:04:05 -0700]"), dash(e.Remote), dash(e.Requester), dash(e.RequestID),
		dash(e.Operation), dash(escape(e.Key)), quoted(e.URI), status, dash(e.Error), sent, number(e.Size), total, "-",
		quoted(e.Referer), quoted(e.UserAgent), dash(e.Version), dash(e.HostID), dash(e.Signature), dash(e.Cipher), dash(e.Auth), dash(e.Host), dash(e.TLS), "-", acl,
	}
	return strings.Join(fields, " ")
}

// quoted is a field that may hold spaces.
func quoted(s string) string {
	if s == "" {
		return `"-"`
	}
	return `"` + strings.NewReplacer(`"`, "%22", "\n", "", "\r", "", "\t", " ").Replace(s) + `"`
}

// escape writes a key so that it is one word: twice, as S3 does.
func escape(key string) string {
	var b strings.Builder
	for i := range len(key) {
		switch c := key[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~/!*'()", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%25%02X", c)
		}
	}
	return b.String()
}
