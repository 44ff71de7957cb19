//go:build real

package daemon_test

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/shared/crash/crashtest"
	"karri/walrus/content"
	"karri/walrus/daemon/walrustest"
	"karri/walrus/index"
)

// A history is what a client did and was told.
type history struct {
	t     *testing.T
	w     *walrustest.Child
	acked map[string]string // key -> body, "" for gone
	doubt map[string]string // the request that was not answered
	dead  bool
}

// large objects go into segments, huge ones into files of their own.
var (
	large = strings.Repeat("large object ", 10_000)
	huge  = strings.Repeat("huge object ", 100_000)
)

// put stores a body, or takes an object away when it is "".
func (h *history) put(key, body string, headers ...string) {
	if h.dead {
		return
	}
	method := "PUT"
	if body == "" {
		method = "DELETE"
	}
	h.note(key, body, func() (walrustest.Answer, error) {
		sent := body
		if len(headers) > 0 {
			sent = ""
		}
		return h.w.Try(h.t, ann, method, "/pond/"+key, sent, headers...)
	})
}

func (h *history) note(key, body string, do func() (walrustest.Answer, error)) walrustest.Answer {
	a, err := do()
	switch {
	case err != nil:
		h.doubt[key], h.dead = body, true
	case a.Status >= 300:
		h.t.Errorf("%s: %+v", key, a)
	default:
		h.acked[key] = body
	}
	return a
}

// ask sends what changes no object.
func (h *history) ask(method, path, body string, headers ...string) walrustest.Answer {
	if h.dead {
		return walrustest.Answer{}
	}
	a, err := h.w.Try(h.t, ann, method, path, body, headers...)
	h.dead = h.dead || err != nil
	return a
}

// set sends a setting, with the digest that S3 wants of one.
func (h *history) set(path, doc string) {
	sum := md5.Sum([]byte(doc))
	if a := h.ask("PUT", path, doc, "Content-MD5: "+base64.StdEncoding.EncodeToString(sum[:])); !h.dead && a.Status >= 300 {
		h.t.Errorf("%s: %+v", path, a)
	}
}

// everything passes every place where a change is made durable.
func (h *history) everything() {
	h.put("small", "one")
	h.put("large", large)
	h.put("small", "two")
	h.put("large", large+"!")
	h.put("huge", huge)
	h.put("huge", "")
	h.put("copy", large+"!", "x-amz-copy-source: pond/large")
	h.put("large", "")
	id := h.ask("POST", "/pond/parts?uploads", "").Element("UploadId")
	tag := h.ask("PUT", "/pond/parts?partNumber=1&uploadId="+id, large).Header.Get("ETag")
	h.ask("PUT", "/pond/parts?partNumber=2&uploadId="+id, "", "x-amz-copy-source: pond/copy")
	if !h.dead {
		h.note("parts", large, func() (walrustest.Answer, error) {
			return h.w.Try(h.t, ann, "POST", "/pond/parts?uploadId="+id, "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"+strings.ReplaceAll(tag, `"`, "")+"</ETag></Part></CompleteMultipartUpload>")
		})
	}
	id = h.ask("POST", "/pond/dropped?uploads", "").Element("UploadId")
	h.ask("PUT", "/pond/dropped?partNumber=1&uploadId="+id, large)
	h.ask("DELETE", "/pond/dropped?uploadId="+id, "")
	if !h.dead {
		const form = "--b\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nposted\r\n" +
			"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nthe file\r\n--b--\r\n"
		h.note("posted", "the file", func() (walrustest.Answer, error) {
			return h.w.Try(h.t, ann, "POST", "/pond", form, "Content-Type: multipart/form-data; boundary=b")
		})
	}
	h.ask("PUT", "/pond/small?acl", "", "x-amz-acl: private")
	h.ask("PUT", "/ending", "")
	h.ask("PUT", "/ending?versioning", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
	h.ask("DELETE", "/ending", "")
}

// check looks for what was acknowledged. A request that got no answer may have
// been done or not, and nothing in between.
func (h *history) check() {
	for key, want := range h.acked {
		doubt, inDoubt := h.doubt[key]
		a := h.w.Do(h.t, ann, "GET", "/pond/"+key, "")
		got := a.Body
		if a.Status == 404 {
			got = ""
		} else if a.Status != 200 {
			h.t.Errorf("%s: %d %s", key, a.Status, a.Code())
			continue
		}
		if got != want && !(inDoubt && got == doubt) {
			h.t.Errorf("%s: %d bytes, acknowledged were %d", key, len(got), len(want))
		}
	}
}

// left opens the state of a walrus that has ended and returns what is there
// and should not be: pieces without a claim, work not done, temporary files.
func left(t *testing.T, state string) (found []string) {
	t.Helper()
	x, err := index.Open(filepath.Join(state, "index"), index.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	files, err := content.OpenFiles(filepath.Join(state, "content"), content.FilesOptions{})
	if err != nil {
		t.Fatal(err)
	}
	err = files.List(t.Context(), func(i content.Info) error {
		claimed, err := x.Claimed(t.Context(), i.ID)
		if err == nil && !claimed {
			found = append(found, fmt.Sprintf("piece %s of %d bytes", i.ID, i.Size))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	lines, err := x.Lines(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		found = append(found, fmt.Sprintf("line %+v", l))
	}
	if _, err := x.Verify(t.Context(), func(problem string) { found = append(found, problem) }); err != nil {
		t.Fatal(err)
	}
	temps, err := os.ReadDir(filepath.Join(state, "content", "temp"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range temps {
		found = append(found, "temporary file "+f.Name())
	}
	return found
}

const (
	letWrite = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["s3.amazonaws.com","logging.s3.amazonaws.com"]},"Action":"s3:PutObject","Resource":"arn:aws:s3:::lists/*"}]}`

	inventoryOfAll = "<InventoryConfiguration><Destination><S3BucketDestination><Bucket>arn:aws:s3:::lists</Bucket><Format>CSV</Format></S3BucketDestination></Destination>" +
		"<IsEnabled>true</IsEnabled><Id>all</Id><IncludedObjectVersions>All</IncludedObjectVersions><Schedule><Frequency>Daily</Frequency></Schedule></InventoryConfiguration>"
)

func TestCrashEverywhere(t *testing.T) {
	cloud := walrustest.StartCloud(t)
	names := crashtest.Points(t, "..")
	for _, name := range names {
		t.Run(name, func(t *testing.T) { crashAt(t, cloud, name, "") })
		if strings.HasPrefix(name, "walrus.index.") {
			t.Run(name+" with versions", func(t *testing.T) { crashAt(t, cloud, name, "Enabled") })
		}
	}
	t.Logf("%d places", len(names))
}

func crashAt(t *testing.T, cloud *walrustest.Cloud, name, versioning string) {
	const queue = "arn:karri:sqs:us-east-1::told"
	listener := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer listener.Close()
	w := walrustest.NewChild(t, cloud, "--orphan-age", "1ms", "--event-target", queue+"="+listener.URL, "--log-delivery", "1ms")
	w.Start(t, "")
	h := &history{t: t, w: w, acked: map[string]string{}, doubt: map[string]string{}}
	h.ask("PUT", "/pond", "")
	if versioning != "" {
		h.ask("PUT", "/pond?versioning", "<VersioningConfiguration><Status>"+versioning+"</Status></VersioningConfiguration>")
	}
	// A bucket that tells of its objects, and one whose lifecycle, inventory and
	// access log have work at each start.
	h.ask("PUT", "/pond?notification", "<NotificationConfiguration><QueueConfiguration><Queue>"+queue+"</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>")
	h.ask("PUT", "/old", "")
	h.ask("PUT", "/old/k", "x")
	h.set("/old?lifecycle", "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Prefix></Prefix><Expiration><Date>2020-01-01T00:00:00Z</Date></Expiration></Rule></LifecycleConfiguration>")
	h.ask("PUT", "/lists", "")
	h.set("/lists?policy", letWrite)
	h.set("/old?inventory&id=all", inventoryOfAll)
	h.set("/old?logging", "<BucketLoggingStatus><LoggingEnabled><TargetBucket>lists</TargetBucket><TargetPrefix>logs/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>")
	h.ask("GET", "/old/k", "")
	w.Kill()
	w.Start(t, name)
	h.everything()
	if !w.Ended(3 * time.Second) {
		t.Fatal("the place was not passed")
	}
	w.Start(t, "walrus.mill.removed") // and again while it recovers
	w.Ended(300 * time.Millisecond)
	w.Kill()
	w.Start(t, "")
	h.check()
	h.dead = false
	h.everything() // all works as before
	if h.dead {
		t.Error("it died again")
	}
	h.check()
	settled(t, w)
}

// settled starts walrus until its mill has come to its end, and fails when
// something is left for good.
func settled(t *testing.T, w *walrustest.Child) {
	t.Helper()
	var found []string
	for try := range 8 {
		w.End()
		if found = left(t, w.State); len(found) == 0 {
			return
		}
		w.Start(t, "")
		w.Ended(time.Duration(try) * 100 * time.Millisecond)
	}
	t.Errorf("left: %v", found)
}

// A hand puts versions of one key, and copies each to a second, one after the
// other.
type hand struct {
	w           *walrustest.Child
	key         string
	sent, acked int64 // versions of the key
	copied      int64 // the last version of the copy that was acknowledged
}

func (h *hand) work(t *testing.T) {
	for {
		h.sent++
		a, err := h.w.Try(t, ann, "PUT", "/pond/"+h.key, version(h.sent))
		if err == nil && a.Status == 200 {
			h.acked = h.sent
			a, err = h.w.Try(t, ann, "PUT", "/pond/copy-"+h.key, "", "x-amz-copy-source: pond/"+h.key)
		}
		if err != nil {
			return
		}
		if a.Status != 200 {
			t.Errorf("%+v", a)
			return
		}
		h.copied = h.acked
	}
}

// check looks for the last acknowledged version of the key and its copy, or a
// later one that was under way, and always a whole one.
func (h *hand) check(t *testing.T) {
	for key, least := range map[string]int64{h.key: h.acked, "copy-" + h.key: h.copied} {
		if least == 0 {
			continue
		}
		a := h.w.Do(t, ann, "GET", "/pond/"+key, "")
		n, _ := strconv.ParseInt(strings.SplitN(a.Body, " ", 2)[0], 10, 64)
		if n < least || n > h.sent || a.Body != version(n) {
			t.Errorf("%s: version %d with %d bytes, acknowledged was %d", key, n, len(a.Body), least)
		}
	}
}

// TestKilledUnderLoad kills walrus with -9 while several hands put and copy
// objects, and looks for what was acknowledged.
func TestKilledUnderLoad(t *testing.T) {
	rounds := 5
	if os.Getenv("KARRI_TEST") == "long" {
		rounds = 200
	}
	w := walrustest.NewChild(t, walrustest.StartCloud(t), "--orphan-age", "1ms")
	w.Start(t, "")
	w.Do(t, ann, "PUT", "/pond", "")
	var hands []*hand
	for i := range 8 {
		hands = append(hands, &hand{w: w, key: fmt.Sprintf("k%d", i)})
	}
	for round := range rounds {
		var all sync.WaitGroup
		for _, h := range hands {
			all.Go(func() { h.work(t) })
		}
		time.Sleep(time.Duration(100+rand.IntN(500)) * time.Millisecond)
		w.Kill()
		all.Wait()
		began := time.Now()
		w.Start(t, "")
		if took := time.Since(began); took > time.Minute {
			t.Errorf("round %d: the start took %s", round, took)
		}
		for _, h := range hands {
			h.check(t)
		}
		if t.Failed() {
			t.Fatalf("round %d", round)
		}
	}
	puts := int64(0)
	for _, h := range hands {
		puts += h.acked
	}
	t.Logf("%d kills, %d puts and copies", rounds, 2*puts)
	settled(t, w)
}

// version is the n-th body of a key, small or large in turn.
func version(n int64) string {
	return strings.Repeat(fmt.Sprintf("%d ", n), 1+int(n%4)*20_000)
}
