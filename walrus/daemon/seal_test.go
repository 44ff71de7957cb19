package daemon_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"karri/walrus/content/contenttest"
	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

const (
	sse  = "X-Amz-Server-Side-Encryption"
	ssec = sse + "-Customer-"

	sourceKey = "X-Amz-Copy-Source-Server-Side-Encryption-Customer-"
)

// customer returns the headers of SSE-C with a key made of a word.
func customer(prefix, word string) []string {
	key := sha256.Sum256([]byte(word))
	sum := md5.Sum(key[:])
	return []string{prefix + "Algorithm: AES256", prefix + "Key: " + base64.StdEncoding.EncodeToString(key[:]),
		prefix + "Key-Md5: " + base64.StdEncoding.EncodeToString(sum[:])}
}

func with(headers []string, more ...string) []string { return append(more, headers...) }

// nowhere looks for text in all files of a walrus.
func nowhere(t *testing.T, state string, texts ...[]byte) {
	t.Helper()
	err := filepath.WalkDir(state, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, text := range texts {
			if bytes.Contains(b, text) {
				t.Errorf("%s holds %.20q", path, text)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSealedObjects puts objects of all sizes plain and sealed, and compares
// what comes back, whole and in ranges.
func TestSealedObjects(t *testing.T) {
	w := start(t)
	w.Do(t, ann, "PUT", "/pond", "")
	ways := map[string][]string{"master": {sse + ": AES256"}, "customer": customer(ssec, "one")}
	for _, size := range []int{0, 5, 20_000, 32 << 10, 32<<10 + 1, 64 << 10, 300_000, 2<<20 + 3} {
		data := []byte(strings.Repeat("plain as day ", size/13+1))[:size]
		sum := md5.Sum(data)
		for name, headers := range ways {
			path := fmt.Sprintf("/pond/%s-%d", name, size)
			a := w.Do(t, ann, "PUT", path, string(data), headers...)
			isMD5 := a.Header.Get("ETag") == `"`+hex.EncodeToString(sum[:])+`"`
			if a.Status != 200 || isMD5 != (name == "master") {
				t.Fatalf("%s: %+v", path, a)
			}
			told(t, name, a)
			asked := headers
			if name == "master" {
				asked = nil
			}
			if a := w.Do(t, ann, "HEAD", path, "", asked...); a.Status != 200 || a.Header.Get("Content-Length") != fmt.Sprint(size) {
				t.Errorf("%s: %+v", path, a)
			} else {
				told(t, name, a)
			}
			if a := w.Do(t, ann, "GET", path, "", asked...); a.Body != string(data) {
				t.Fatalf("%s: %d, %d bytes", path, a.Status, len(a.Body))
			}
			for range 10 {
				if size == 0 {
					break
				}
				off := rand.IntN(size)
				n := 1 + rand.IntN(size-off)
				a := w.Do(t, ann, "GET", path, "", with(asked, fmt.Sprintf("Range: bytes=%d-%d", off, off+n-1))...)
				if a.Status != 206 || a.Body != string(data[off:off+n]) {
					t.Fatalf("%s: %d from %d: %d, %d bytes", path, n, off, a.Status, len(a.Body))
				}
			}
		}
	}
	key := sha256.Sum256([]byte("one"))
	nowhere(t, w.State, []byte("plain as day plain"), key[:], []byte(base64.StdEncoding.EncodeToString(key[:])), []byte(base64.RawStdEncoding.EncodeToString(key[:])))
}

func told(t *testing.T, way string, a walrustest.Answer) {
	t.Helper()
	master, customer := a.Header.Get(sse), a.Header.Get(ssec+"Algorithm")
	if way == "master" && master != "AES256" || way == "customer" && (customer != "AES256" || a.Header.Get(ssec+"Key-Md5") == "") {
		t.Errorf("%s is told as %q, %q", way, master, customer)
	}
}

func TestSealedRefusals(t *testing.T) {
	w := start(t)
	right, wrong := customer(ssec, "one"), customer(ssec, "two")
	broken := []string{right[0], right[1], wrong[2]}
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond/c", body: "x", headers: right, status: 200},
		{method: "PUT", path: "/pond/plain", body: "x", status: 200},
		{method: "GET", path: "/pond/c", status: 400, code: "InvalidRequest"},
		{method: "HEAD", path: "/pond/c", status: 400},
		{method: "GET", path: "/pond/c", headers: wrong, status: 403, code: "AccessDenied"},
		{method: "GET", path: "/pond/c?attributes", headers: []string{"x-amz-object-attributes: ETag"}, status: 400, code: "InvalidRequest"},
		{method: "GET", path: "/pond/c?attributes", headers: with(wrong, "x-amz-object-attributes: ETag"), status: 403, code: "AccessDenied"},
		{method: "GET", path: "/pond/c?attributes", headers: with(right, "x-amz-object-attributes: ETag"), status: 200, has: []string{"<ETag>"}},
		{method: "GET", path: "/pond/c", headers: broken, status: 400, code: "InvalidArgument"},
		{method: "GET", path: "/pond/c", headers: right[:2], status: 400, code: "InvalidArgument"},
		{method: "GET", path: "/pond/plain", headers: right, status: 400, code: "InvalidRequest"},
		{method: "GET", path: "/pond/c", headers: right, status: 200, has: []string{"x"}},
		{method: "PUT", path: "/pond/k", body: "x", headers: broken, status: 400, code: "InvalidArgument"},
		{method: "PUT", path: "/pond/k", body: "x", headers: with(right, sse+": AES256"), status: 400, code: "InvalidArgument"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{sse + ": aws:kms"}, status: 501, code: "NotImplemented"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{sse + ": ROT13"}, status: 400, code: "InvalidArgument"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{sse + "-Aws-Kms-Key-Id: k"}, status: 501, code: "NotImplemented"},
		{method: "PUT", path: "/pond/copy", headers: []string{"x-amz-copy-source: pond/c"}, status: 400, code: "InvalidRequest"},
		{method: "PUT", path: "/pond/c", headers: with(customer(sourceKey, "one"), "x-amz-copy-source: pond/c"), status: 200},
		{method: "DELETE", path: "/pond/c", status: 204},
	})
}

// TestSealedCopies copies an object from each way of being stored to each.
func TestSealedCopies(t *testing.T) {
	w := start(t)
	w.Do(t, ann, "PUT", "/pond", "")
	ways := map[string][]string{"plain": nil, "master": {sse + ": AES256"}, "customer": customer(ssec, "one"), "other": customer(ssec, "two")}
	words := map[string]string{"customer": "one", "other": "two"}
	for _, size := range []int{100, 200_000} {
		data := string(contenttest.Random(size))
		for from, headers := range ways {
			source := fmt.Sprintf("pond/%s-%d", from, size)
			if a := w.Do(t, ann, "PUT", "/"+source, data, headers...); a.Status != 200 {
				t.Fatalf("%+v", a)
			}
			for to, headers := range ways {
				var opens []string
				if word := words[from]; word != "" {
					opens = customer(sourceKey, word)
				}
				path := "/pond/from-" + from + "-to-" + to
				a := w.Do(t, ann, "PUT", path, "", with(append(opens, headers...), "x-amz-copy-source: "+source)...)
				if a.Status != 200 {
					t.Fatalf("%s: %+v", path, a)
				}
				told(t, to, a)
				var reads []string
				if words[to] != "" {
					reads = headers
				}
				got := w.Do(t, ann, "GET", path, "", with(reads, "x-amz-checksum-mode: ENABLED")...)
				if got.Body != data || got.Header.Get("x-amz-checksum-crc64nvme") == "" {
					t.Errorf("%s: %d, %d bytes", path, got.Status, len(got.Body))
				}
				told(t, to, got)
			}
		}
	}
}

// TestSealedParts uploads parts, copies one, and reads ranges across them.
func TestSealedParts(t *testing.T) {
	w := start(t)
	w.Do(t, ann, "PUT", "/pond", "")
	w.Do(t, ann, "PUT", "/pond/source", "copied bytes", customer(ssec, "source")...)
	part := string(contenttest.Random(5<<20 + 7))
	for name, headers := range map[string][]string{"master": {sse + ": AES256"}, "customer": customer(ssec, "one")} {
		a := w.Do(t, ann, "POST", "/pond/"+name+"?uploads", "", headers...)
		told(t, name, a)
		id := a.Element("UploadId")
		var asked []string
		if name == "customer" {
			asked = headers
			for _, bad := range [][]string{nil, customer(ssec, "two")} {
				if a := w.Do(t, ann, "PUT", "/pond/"+name+"?partNumber=1&uploadId="+id, "x", bad...); a.Status != 400 {
					t.Errorf("a part with another key: %+v", a)
				}
			}
		}
		one := w.Do(t, ann, "PUT", "/pond/"+name+"?partNumber=1&uploadId="+id, part, asked...)
		told(t, name, one)
		two := w.Do(t, ann, "PUT", "/pond/"+name+"?partNumber=2&uploadId="+id, "", with(append(asked, customer(sourceKey, "source")...), "x-amz-copy-source: pond/source")...)
		told(t, name, two)
		list := fmt.Sprintf("<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part><Part><PartNumber>2</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>",
			strings.Trim(one.Header.Get("ETag"), `"`), strings.ReplaceAll(two.Element("ETag"), "&#34;", ""))
		if a := w.Do(t, ann, "POST", "/pond/"+name+"?uploadId="+id, list); a.Status != 200 {
			t.Fatalf("%s: %+v", name, a)
		}
		whole := part + "copied bytes"
		if a := w.Do(t, ann, "GET", "/pond/"+name, "", asked...); a.Body != whole {
			t.Errorf("%s: %d, %d bytes", name, a.Status, len(a.Body))
		}
		if a := w.Do(t, ann, "GET", "/pond/"+name, "", with(asked, fmt.Sprintf("Range: bytes=%d-%d", len(part)-70_000, len(part)+3))...); a.Body != whole[len(part)-70_000:len(part)+4] {
			t.Errorf("%s: across parts: %d, %d bytes", name, a.Status, len(a.Body))
		}
		if a := w.Do(t, ann, "GET", "/pond/"+name+"?partNumber=2", "", asked...); a.Body != "copied bytes" {
			t.Errorf("%s: part 2: %+v", name, a)
		}
	}
}

// TestMasterKeysOutside keeps the keys in a file beside the state. Without them
// what is sealed cannot be read, and what is plain can.
func TestMasterKeysOutside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	write := func(name string, fill byte) {
		line := name + ":" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{fill}, 32)) + "\n"
		if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first", 1)
	cloud := walrustest.StartCloud(t)
	w := walrustest.Start(t, cloud, daemon.Config{MasterKeys: path})
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond/sealed", headers: []string{sse + ": AES256"}, body: "secret", status: 200},
		{method: "PUT", path: "/pond/plain", body: "open", status: 200},
	})
	w.Stop()
	write("second", 2)
	again := daemon.Config{MasterKeys: path}
	again.State = w.State
	w = walrustest.Start(t, cloud, again)
	play(t, w, []ask{
		{method: "GET", path: "/pond/sealed", status: 500, code: "InternalError"},
		{method: "GET", path: "/pond/plain", status: 200, has: []string{"open"}},
	})
	if _, err := os.Stat(filepath.Join(w.State, "master.keys")); err == nil {
		t.Error("keys were made in the state though a file was named")
	}
}

// TestSealedByDefault puts objects in a bucket that seals them: by every way
// that objects come.
func TestSealedByDefault(t *testing.T) {
	w := start(t)
	sealed := []string{sse + ": AES256"}
	list := "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>%s</ETag></Part></CompleteMultipartUpload>"
	const setting = `<ServerSideEncryptionConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>%s</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>`
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond/before", body: "plain words", status: 200},
		{method: "PUT", path: "/pond?encryption", body: fmt.Sprintf(setting, "aws:kms"), status: 501, code: "NotImplemented"},
		{method: "PUT", path: "/pond?encryption", body: fmt.Sprintf(setting, "AES256"), status: 200},
		{method: "PUT", path: "/pond/put", body: "secret words", status: 200, has: sealed},
		{method: "PUT", path: "/pond/copy", headers: []string{"x-amz-copy-source: pond/before"}, status: 200, has: sealed},
		{method: "GET", path: "/pond/copy", status: 200, has: append(sealed, "plain words")},
		{method: "GET", path: "/pond/before", status: 200, has: []string{"plain words"}},
		{method: "PUT", path: "/pond/mine", body: "secret words", headers: customer(ssec, "one"), status: 200, has: []string{ssec + "Algorithm: AES256"}},
	})
	id := w.Do(t, ann, "POST", "/pond/parts?uploads", "").Element("UploadId")
	tag := w.Do(t, ann, "PUT", "/pond/parts?partNumber=1&uploadId="+id, "secret words").Header.Get("ETag")
	play(t, w, []ask{
		{method: "POST", path: "/pond/parts?uploadId=" + id, body: fmt.Sprintf(list, strings.Trim(tag, `"`)), status: 200, has: sealed},
		{method: "GET", path: "/pond/parts", status: 200, has: append(sealed, "secret words")},
		{method: "DELETE", path: "/pond?encryption", status: 204},
		{method: "PUT", path: "/pond/put", body: "plain words", status: 200, has: []string{sse + ": "}},
		{method: "GET", path: "/pond/parts", status: 200, has: append(sealed, "secret words")},
	})
	nowhere(t, w.State, []byte("secret words"))
}
