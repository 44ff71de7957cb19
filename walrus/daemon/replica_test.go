package daemon_test

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

const copies = "arn:karri:s3:us-east-1:111111111111:copies"

func TestObjectsAreCopiedElsewhere(t *testing.T) {
	there := start(t)
	keyFile := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(keyFile, []byte(bob.AccessKey+"\n"+bob.Secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newClock()
	w := working(t, c, daemon.Config{Replicas: []string{copies + "=" + there.Endpoint + "#" + keyFile}})
	versions := "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
	play(t, there, []ask{{who: bob, method: "PUT", path: "/copies", status: 200}, {who: bob, method: "PUT", path: "/copies?versioning", body: versions, status: 200}})
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}, {method: "PUT", path: "/pond?versioning", body: versions, status: 200}})
	set(t, w, "/pond?replication", "<ReplicationConfiguration><Role>r</Role><Rule><ID>a</ID><Priority>1</Priority><Filter><Prefix>in/</Prefix></Filter><Status>Enabled</Status><Destination><Bucket>"+copies+
		"</Bucket></Destination><DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication></Rule></ReplicationConfiguration>")
	big := make([]byte, 5<<20)
	_, _ = rand.Read(big)
	play(t, w, []ask{
		{method: "PUT", path: "/pond/in/a%20%2Bb", body: "one", headers: []string{"x-amz-meta-colour: red", "Content-Type: text/x", "x-amz-tagging: k=v%20w"}, status: 200},
		{method: "PUT", path: "/pond/in/a%20%2Bb", body: "two", headers: []string{"x-amz-meta-colour: blue", "Content-Type: text/x", "x-amz-tagging: k=v%20w"}, status: 200},
		{method: "PUT", path: "/pond/out", body: "x", status: 200},
		{method: "PUT", path: "/pond/in/gone", body: "x", status: 200},
		{method: "DELETE", path: "/pond/in/gone", status: 204},
	})
	etag := uploadInParts(t, w, "/pond/in/big", string(big), "tail")
	eventually(t, "all is copied", func() bool {
		a := w.Do(t, ann, "HEAD", "/pond/in/a%20%2Bb", "")
		b := w.Do(t, ann, "HEAD", "/pond/in/big", "")
		return a.Header.Get("X-Amz-Replication-Status") == "COMPLETED" && b.Header.Get("X-Amz-Replication-Status") == "COMPLETED"
	})
	play(t, w, []ask{{method: "HEAD", path: "/pond/out", status: 200, has: []string{"X-Amz-Replication-Status: "}}})
	play(t, there, []ask{
		{who: bob, method: "GET", path: "/copies/in/a%20%2Bb", status: 200, has: []string{"two", "X-Amz-Meta-Colour: blue", "Content-Type: text/x", "X-Amz-Replication-Status: REPLICA"}},
		{who: bob, method: "GET", path: "/copies/in/a%20%2Bb?tagging", status: 200, has: []string{"<Key>k</Key><Value>v w</Value>"}},
		{who: bob, method: "GET", path: "/copies/out", status: 404, code: "NoSuchKey"},
	})
	if b := there.Do(t, bob, "GET", "/copies/in/big", ""); b.Body != string(big)+"tail" || b.Header.Get("ETag") != etag {
		t.Errorf("the large one: %d bytes, %s, want %s", len(b.Body), b.Header.Get("ETag"), etag)
	}
	eventually(t, "the delete marker is copied", func() bool {
		return there.Do(t, bob, "GET", "/copies/in/gone", "").Header.Get("X-Amz-Delete-Marker") == "true"
	})
	if a := there.Do(t, bob, "GET", "/copies?versions&prefix=in/a", ""); strings.Count(a.Body, "<Version>") != 2 {
		t.Errorf("versions there: %s", a.Body)
	}
}

// uploadInParts uploads an object and returns its ETag.
func uploadInParts(t *testing.T, w *walrustest.Walrus, path string, parts ...string) string {
	t.Helper()
	id := w.Do(t, ann, "POST", path+"?uploads", "").Element("UploadId")
	doc := "<CompleteMultipartUpload>"
	for i, p := range parts {
		a := w.Do(t, ann, "PUT", fmt.Sprintf("%s?partNumber=%d&uploadId=%s", path, i+1, id), p)
		doc += fmt.Sprintf("<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", i+1, a.Header.Get("ETag"))
	}
	a := w.Do(t, ann, "POST", path+"?uploadId="+id, doc+"</CompleteMultipartUpload>")
	if a.Status != 200 {
		t.Fatalf("complete: %d %s", a.Status, a.Body)
	}
	return w.Do(t, ann, "HEAD", path, "").Header.Get("ETag")
}
