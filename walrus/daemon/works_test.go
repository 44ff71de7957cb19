package daemon_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

// A clock stands until it is moved.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Date(2030, 3, 5, 12, 0, 0, 0, time.UTC).UnixNano())
	return c
}

func (c *clock) now() time.Time       { return time.Unix(0, c.at.Load()).UTC() }
func (c *clock) move(d time.Duration) { c.at.Add(int64(d)) }

// eventually waits for the loops, which look every few milliseconds.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for range 2000 {
		if so() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("it never was so: " + what)
}

func working(t *testing.T, c *clock, conf daemon.Config) *walrustest.Walrus {
	conf.Clock, conf.Pace = c.now, 20*time.Millisecond
	return walrustest.Start(t, walrustest.StartCloud(t), conf)
}

// set puts a bucket's setting.
func set(t *testing.T, w *walrustest.Walrus, path, doc string) {
	t.Helper()
	if a := w.Do(t, ann, "PUT", path, doc, proof(doc)); a.Status != 200 {
		t.Fatalf("PUT %s: %d %s", path, a.Status, a.Body)
	}
}

// keys lists a bucket, with ?versions too, as it is answered.
func keys(t *testing.T, w *walrustest.Walrus, path string) (list []string) {
	t.Helper()
	a := w.Do(t, ann, "GET", path, "")
	if a.Status != 200 {
		t.Fatalf("GET %s: %d %s", path, a.Status, a.Body)
	}
	rest := a.Body
	for {
		_, after, ok := strings.Cut(rest, "<Key>")
		if !ok {
			return list
		}
		var key string
		key, rest, _ = strings.Cut(after, "</Key>")
		list = append(list, key)
	}
}

func TestLifecycleEndsWhatIsDue(t *testing.T) {
	c := newClock()
	w := working(t, c, daemon.Config{})
	day := 24 * time.Hour
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond/log/a", body: "a", status: 200},
		{method: "PUT", path: "/pond/keep/a", body: "a", status: 200},
		{method: "POST", path: "/pond/log/up?uploads", status: 200},
		{method: "PUT", path: "/river", status: 200},
	})
	set(t, w, "/pond?lifecycle", `<LifecycleConfiguration><Rule><ID>old logs</ID><Status>Enabled</Status><Filter><Prefix>log/</Prefix></Filter>
		<Expiration><Days>3</Days></Expiration></Rule>
		<Rule><ID>uploads</ID><Status>Enabled</Status><Filter/><AbortIncompleteMultipartUpload><DaysAfterInitiation>5</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>`)
	play(t, w, []ask{
		{method: "GET", path: "/pond/log/a", status: 200, has: []string{`X-Amz-Expiration: expiry-date="Sat, 09 Mar 2030 00:00:00 GMT", rule-id="old+logs"`}},
		{method: "PUT", path: "/pond/log/b", body: "b", status: 200, has: []string{`X-Amz-Expiration: expiry-date="Sat, 09 Mar 2030 00:00:00 GMT", rule-id="old+logs"`}},
		{method: "HEAD", path: "/pond/keep/a", status: 200, has: []string{"X-Amz-Expiration: "}},
		{method: "POST", path: "/pond/x?uploads", status: 200, has: []string{"X-Amz-Abort-Date: Mon, 11 Mar 2030 00:00:00 GMT", "X-Amz-Abort-Rule-Id: uploads"}},
	})
	c.move(3 * day)
	set(t, w, "/river?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
	if got := keys(t, w, "/pond"); len(got) != 3 {
		t.Errorf("after three days: %v", got)
	}
	c.move(day) // past the midnight of the fourth
	eventually(t, "the logs are gone", func() bool { return slices.Equal(keys(t, w, "/pond"), []string{"keep/a"}) })
	if got := keys(t, w, "/pond?uploads"); len(got) != 2 {
		t.Errorf("uploads: %v", got)
	}
	c.move(2 * day)
	eventually(t, "the uploads are gone", func() bool { return len(keys(t, w, "/pond?uploads")) == 0 })
}

func TestLifecycleOfVersions(t *testing.T) {
	c := newClock()
	w := working(t, c, daemon.Config{})
	day := 24 * time.Hour
	play(t, w, []ask{
		{method: "PUT", path: "/river", status: 200},
		{method: "PUT", path: "/river?versioning", body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", status: 200},
	})
	for i := range 4 {
		play(t, w, []ask{{method: "PUT", path: "/river/k", body: fmt.Sprint(i), status: 200}})
	}
	set(t, w, "/river?lifecycle", `<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Filter/><Expiration><Days>2</Days></Expiration>
		<NoncurrentVersionExpiration><NoncurrentDays>5</NoncurrentDays><NewerNoncurrentVersions>1</NewerNoncurrentVersions></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>`)
	c.move(3 * day)
	eventually(t, "the object is hidden", func() bool { return len(keys(t, w, "/river")) == 0 })
	if a := w.Do(t, ann, "GET", "/river?versions", ""); strings.Count(a.Body, "<Version>") != 4 || strings.Count(a.Body, "<DeleteMarker>") != 1 {
		t.Errorf("versions: %s", a.Body)
	}
	c.move(6 * day)
	eventually(t, "old versions are gone but for the newest", func() bool {
		a := w.Do(t, ann, "GET", "/river?versions", "")
		return strings.Count(a.Body, "<Version>") == 1 && strings.Count(a.Body, "<DeleteMarker>") == 1
	})
	set(t, w, "/river?lifecycle", `<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Filter/><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>
		<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>`)
	c.move(day)
	eventually(t, "the last version is gone", func() bool {
		return !strings.Contains(w.Do(t, ann, "GET", "/river?versions", "").Body, "<Version>")
	})
	c.move(day)
	eventually(t, "the marker is gone", func() bool { return len(keys(t, w, "/river?versions")) == 0 })
}

// A hook is a webhook that notes what it gets.
type hook struct {
	*httptest.Server
	mu   sync.Mutex
	got  []map[string]any // the records, and test messages as they are
	bad  []string         // wrong signatures
	down atomic.Bool
}

func newHook(t *testing.T, secret string) *hook {
	h := &hook{}
	h.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(r.Header.Get("X-Karri-Timestamp") + "."))
		mac.Write(body)
		if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); r.Header.Get("X-Karri-Signature") != want {
			h.bad = append(h.bad, r.Header.Get("X-Karri-Signature"))
		}
		var m map[string]any
		if err := json.Unmarshal(body, &m); err != nil {
			h.bad = append(h.bad, err.Error())
		}
		if records, ok := m["Records"].([]any); ok {
			m = records[0].(map[string]any)
		}
		h.got = append(h.got, m)
	}))
	t.Cleanup(h.Close)
	return h
}

// names returns the events that came, with their keys.
func (h *hook) names() (list []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.got {
		if name, ok := m["eventName"]; ok {
			object := m["s3"].(map[string]any)["object"].(map[string]any)
			list = append(list, fmt.Sprint(name, " ", object["key"]))
		} else {
			list = append(list, fmt.Sprint(m["Event"]))
		}
	}
	return list
}

const jobs = "arn:karri:sqs:us-east-1::jobs"

func TestEventsArrive(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h, c := newHook(t, "open sesame"), newClock()
	w := working(t, c, daemon.Config{Events: []string{jobs + "=" + h.URL + "/hook#" + secret}, EventKeep: time.Hour})
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}})
	conf := "<NotificationConfiguration><QueueConfiguration><Id>n1</Id><Queue>" + jobs + `</Queue><Event>s3:ObjectCreated:*</Event><Event>s3:ObjectRemoved:*</Event><Event>s3:LifecycleExpiration:*</Event>
		<Filter><S3Key><FilterRule><Name>prefix</Name><Value>in </Value></FilterRule></S3Key></Filter></QueueConfiguration></NotificationConfiguration>`
	h.down.Store(true)
	if a := w.Do(t, ann, "PUT", "/pond?notification", conf); a.Status != 400 || a.Code() != "InvalidArgument" {
		t.Errorf("a target that does not answer: %d %s", a.Status, a.Body)
	}
	h.down.Store(false)
	set(t, w, "/pond?notification", conf)
	play(t, w, []ask{
		{method: "PUT", path: "/pond/in%20a/b", body: "hello", status: 200},
		{method: "PUT", path: "/pond/out", body: "x", status: 200},
		{method: "DELETE", path: "/pond/in%20a/b", status: 204},
	})
	deletion := "<Delete><Object><Key>in 1</Key></Object><Object><Key>out</Key></Object></Delete>"
	play(t, w, []ask{
		{method: "PUT", path: "/pond/in%201", body: "x", status: 200},
		{method: "POST", path: "/pond?delete", body: deletion, headers: []string{proof(deletion)}, status: 200},
	})
	want := []string{"s3:TestEvent", "ObjectCreated:Put in+a/b", "ObjectRemoved:Delete in+a/b", "ObjectCreated:Put in+1", "ObjectRemoved:Delete in+1"}
	eventually(t, "the events arrive", func() bool { return len(h.names()) >= len(want) })
	got := h.names()
	for _, key := range []string{"in+a/b", "in+1"} { // those of one key come in order
		if !slices.Equal(only(got, key), only(want, key)) {
			t.Errorf("of %s: %q", key, got)
		}
	}
	h.mu.Lock()
	first := h.got[1]
	for _, m := range h.got {
		if m["eventName"] == "ObjectCreated:Put" && fmt.Sprint(m["s3"].(map[string]any)["object"].(map[string]any)["key"]) == "in+a/b" {
			first = m
		}
	}
	if len(h.bad) > 0 {
		t.Errorf("wrong: %q", h.bad)
	}
	h.mu.Unlock()
	text, _ := json.Marshal(first)
	for _, part := range []string{`"eventVersion":"2.1"`, `"awsRegion":"us-east-1"`, `"configurationId":"n1"`, `"name":"pond"`, `"size":5`, `"eTag":"5d41402abc4b2a76b9719d911017c592"`,
		`"sourceIPAddress":"127.0.0.1"`, `"sequencer":"`, `"x-amz-request-id":"`, `"principalId":"AWS:`, `"eventTime":"2030-03-05T12:00:00.000Z"`} {
		if !strings.Contains(string(text), part) {
			t.Errorf("no %s in %s", part, text)
		}
	}
}

// only returns those that end in key.
func only(list []string, key string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return !strings.HasSuffix(s, " "+key) })
}

func TestEventsWaitForTheirTargetAndAreGivenUpInTheEnd(t *testing.T) {
	h, c := newHook(t, ""), newClock()
	w := working(t, c, daemon.Config{Events: []string{jobs + "=" + h.URL}, EventKeep: time.Hour})
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}})
	set(t, w, "/pond?notification", "<NotificationConfiguration><QueueConfiguration><Queue>"+jobs+"</Queue><Event>s3:ObjectCreated:Put</Event></QueueConfiguration></NotificationConfiguration>")
	h.down.Store(true)
	play(t, w, []ask{{method: "PUT", path: "/pond/1", body: "x", status: 200}, {method: "PUT", path: "/pond/2", body: "x", status: 200}})
	eventually(t, "the loop shows it", func() bool { return strings.Contains(w.Metrics(t), `walrus_loop_away{loop="events"} 1`) })
	eventually(t, "two events wait", func() bool { return strings.Contains(w.Metrics(t), `walrus_queue_length{queue="event `+jobs+`"} 2`) })
	h.down.Store(false)
	eventually(t, "they come late", func() bool { return len(h.names()) == 3 })
	h.down.Store(true)
	play(t, w, []ask{{method: "PUT", path: "/pond/3", body: "x", status: 200}})
	c.move(2 * time.Hour)
	eventually(t, "it is given up", func() bool {
		return strings.Contains(w.Metrics(t), `walrus_events_total{result="dead",target="`+jobs+`"} 1`)
	})
	h.down.Store(false)
	play(t, w, []ask{{method: "PUT", path: "/pond/4", body: "x", status: 200}})
	eventually(t, "later ones come", func() bool { return len(h.names()) == 4 })
}
