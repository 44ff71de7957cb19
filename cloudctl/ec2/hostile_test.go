package ec2

import (
	"context"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"karri/shared/action"
	"karri/shared/awsmodel"
	"karri/shared/bucket/buckettest"
	"karri/shared/id"
	"karri/shared/protocol"
)

// hostile are values that parameters must survive.
var hostile = []string{
	"", " ", "-1", "0", "1", "2147483647", "-2147483648", "9223372036854775807", "true", "*", "?", `\`, "%", "'; DROP TABLE instances; --",
	"../../../etc/passwd", "i-", "i-0123456789abcdef", "i-0123456789ABCDEF0", "vol-0123456789abcdef0", "ami-00000000", "0.0.0.0/0", "::/0", "10.0.0.1/33",
	"255.255.255.255", "::ffff:10.0.0.1", "2026-01-02T03:04:05Z", "\u202e", "\U0001F600", "a\nb", "<x>&amp;", strings.Repeat("x", 300), strings.Repeat("A", 70000),
	"AAAA", "tcp", "icmp", "-1/-1", "65536", "us-east-1a", "default", "/dev/sda1", "/dev/sdz99", "t1.nano",
}

// eachScalar calls f with the wire name of every parameter and part of one
// that the action honours.
func eachScalar(p *protocol.Plan, prefix string, depth int, f func(name string)) {
	p.Each(func(m *awsmodel.Member, part *protocol.Plan) {
		name, shape := prefix+p.WireName(protocol.EC2, m.Name), m.Shape
		if inner := part.Element(); inner != nil {
			name, part, shape = name+".1", inner, inner.Shape()
		}
		if shape.Type != awsmodel.Structure {
			f(name)
		} else if depth < 4 {
			eachScalar(part, name+".", depth+1, f)
		}
	})
}

// No value of any parameter makes trouble of our own: the answer is a good one
// or a refusal that names a reason. Each run tries some values with each
// parameter, a long one all.
func TestNoValueMakesTroubleOfOurOwn(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	fake := buckettest.New(nil)
	fake.UserPut(w.accounts["ann"], "images", "debian-12.qcow2", make([]byte, 1<<20))
	w.api.Buckets, w.api.Console = fake, quiet{}
	hers := w.idsOf("ann")
	turn, step := 0, 17
	if os.Getenv("KARRI_TEST") == "long" {
		step = 1
	}
	for _, a := range Catalog.All() {
		if a.Empty {
			continue
		}
		text, _ := with(t, a, func(prefix, old string) string {
			if hers[prefix] != "" {
				return hers[prefix]
			}
			return old
		})
		eachScalar(a.Request, "", 0, func(name string) {
			for i := turn % step; i < len(hostile); i += step {
				w.survives(a, text, name, hostile[i])
			}
			turn++
		})
	}
}

// quiet is a console that said nothing.
type quiet struct{}

func (quiet) Console(context.Context, string, id.Instance) ([]byte, time.Time, error) {
	return nil, time.Time{}, nil
}

// survives asks for the action with one parameter changed.
func (w *world) survives(a *action.Action, text, name, value string) {
	w.Helper()
	form, err := url.ParseQuery(text)
	if err != nil {
		w.Fatal(err)
	}
	form.Set(name, value)
	status, body := w.send("ann", form.Encode())
	full := strings.Contains(body, "<Code>Insufficient") || strings.Contains(body, "<Code>Unavailable")
	if status >= 500 && !full || status != 200 && first(body, "Code") == "" {
		w.Errorf("%s with %s=%.60q: %d %s", a.Name, name, value, status, body)
	}
}
