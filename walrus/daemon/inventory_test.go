package daemon_test

import (
	"compress/gzip"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

func TestInventoriesAreWritten(t *testing.T) {
	c := newClock()
	w := working(t, c, daemon.Config{})
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/lists", status: 200},
		{method: "PUT", path: "/pond?versioning", body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", status: 200},
		{method: "PUT", path: "/pond/in/a%20%22b%22,c", body: "hello", status: 200},
		{method: "PUT", path: "/pond/in/a%20%22b%22,c", body: "hallo!", status: 200},
		{method: "PUT", path: "/pond/in/gone", body: "x", status: 200},
		{method: "DELETE", path: "/pond/in/gone", status: 204},
		{method: "PUT", path: "/pond/out", body: "x", status: 200},
	})
	doc := func(id, versions string) string {
		return "<InventoryConfiguration><Destination><S3BucketDestination><Bucket>arn:aws:s3:::lists</Bucket><Format>CSV</Format><Prefix>p</Prefix></S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Filter><Prefix>in/</Prefix></Filter><Id>" +
			id + "</Id><IncludedObjectVersions>" + versions + "</IncludedObjectVersions><OptionalFields><Field>Size</Field><Field>LastModifiedDate</Field><Field>ETag</Field><Field>StorageClass</Field></OptionalFields><Schedule><Frequency>Daily</Frequency></Schedule></InventoryConfiguration>"
	}
	set(t, w, "/pond?inventory&id=all", doc("all", "All"))
	eventually(t, "S3 is not let in", func() bool { return strings.Contains(w.Metrics(t), `walrus_inventories_total{result="refused"} 1`) })
	play(t, w, []ask{{method: "PUT", path: "/lists?policy", body: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::lists/*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::pond"}}}]}`, status: 204}})
	set(t, w, "/pond?inventory&id=now", doc("now", "Current"))
	manifests := func() []string {
		return slices.DeleteFunc(keys(t, w, "/lists?prefix=p/pond/"), func(k string) bool { return !strings.HasSuffix(k, "manifest.checksum") })
	}
	eventually(t, "the list that S3 is let in for is there", func() bool { return len(manifests()) == 1 })
	c.move(2 * time.Hour)
	eventually(t, "two lists are there", func() bool { return len(manifests()) == 2 })
	m, rows := readList(t, w, "p/pond/all/2030-03-05T14-00Z")
	if m["fileSchema"] != "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size, LastModifiedDate, ETag, StorageClass" || m["sourceBucket"] != "pond" || m["destinationBucket"] != "arn:aws:s3:::lists" || m["version"] != "2016-11-30" || m["fileFormat"] != "CSV" {
		t.Errorf("manifest %v", m)
	}
	if len(rows) != 4 || !strings.HasPrefix(rows[0], `"pond","in/a+%22b%22%2Cc","`) || !strings.HasSuffix(rows[0], `","true","false","6","2030-03-05T12:00:00.000Z","`+fmt.Sprintf("%x", md5.Sum([]byte("hallo!")))+`","STANDARD"`) ||
		!strings.Contains(rows[1], `"false","false","5",`) || !strings.Contains(rows[2], `"true","true","","2030-03-05T12:00:00.000Z","",""`) {
		t.Errorf("rows\n%s", strings.Join(rows, "\n"))
	}
	_, rows = readList(t, w, "p/pond/now/2030-03-05T12-00Z")
	if len(rows) != 1 || rows[0] != `"pond","in/a+%22b%22%2Cc","6","2030-03-05T12:00:00.000Z","`+fmt.Sprintf("%x", md5.Sum([]byte("hallo!")))+`","STANDARD"` {
		t.Errorf("rows\n%s", strings.Join(rows, "\n"))
	}
	c.move(24 * time.Hour)
	eventually(t, "the next day's lists are there", func() bool { return len(manifests()) == 4 })
}

// readList reads a list by its manifest.
func readList(t *testing.T, w *walrustest.Walrus, folder string) (doc map[string]any, rows []string) {
	t.Helper()
	m := w.Do(t, ann, "GET", "/lists/"+folder+"/manifest.json", "")
	sum := w.Do(t, ann, "GET", "/lists/"+folder+"/manifest.checksum", "")
	if m.Status != 200 || sum.Body != fmt.Sprintf("%x", md5.Sum([]byte(m.Body))) {
		t.Fatalf("manifest %d %s, checksum %s", m.Status, m.Body, sum.Body)
	}
	if err := json.Unmarshal([]byte(m.Body), &doc); err != nil {
		t.Fatal(err)
	}
	for _, f := range doc["files"].([]any) {
		file := f.(map[string]any)
		body := w.Do(t, ann, "GET", "/lists/"+file["key"].(string), "").Body
		if float64(len(body)) != file["size"] || fmt.Sprintf("%x", md5.Sum([]byte(body))) != file["MD5checksum"] {
			t.Errorf("file %v has %d bytes", file, len(body))
		}
		z, err := gzip.NewReader(strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, strings.Split(strings.TrimSpace(string(text)), "\n")...)
	}
	return doc, rows
}
