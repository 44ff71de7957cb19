package form

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"strings"
	"testing"
	"time"

	"karri/shared/fault"
)

var noon = time.Date(2026, 8, 30, 12, 0, 0, 0, time.UTC)

func encode(doc string) string { return base64.StdEncoding.EncodeToString([]byte(doc)) }

func policy(conditions string) string {
	return encode(`{"expiration": "2026-08-30T13:00:00.000Z", "conditions": [` + conditions + `]}`)
}

func TestPoliciesThatCannotBeRead(t *testing.T) {
	for _, doc := range []string{
		``, `x`, `[]`, `{}`, `{"expiration": "2026-08-30T13:00:00Z"}`, `{"conditions": []}`,
		`{"expiration": "tomorrow", "conditions": []}`, `{"EXPIRATION": "2026-08-30T13:00:00Z", "conditions": []}`,
		`{"expiration": "2026-08-30T13:00:00Z", "CONDITIONS": []}`, `{"expiration": "2026-08-30T13:00:00Z", "conditions": {}}`,
		`{"expiration": "2026-08-30T13:00:00Z", "conditions": null}`,
		`{"expiration": "2026-08-30T13:00:00Z", "expiration": "2027-08-30T13:00:00Z", "conditions": []}`,
		`{"expiration": "2026-08-30T13:00:00Z", "conditions": []} {}`, `{"expiration": "2026-08-30T13:00:00Z", "conditions": [{}]}`,
		`{"expiration": "2026-08-30T13:00:00Z", "conditions": [{"a": "1", "b": "2"}]}`,
		`{"expiration": "2026-08-30T13:00:00Z", "conditions": [{"a": 1}]}`, `{"expiration": "2026-08-30T13:00:00Z", "conditions": [["eq", "key", "a"]]}`,
		`{"expiration": "2026-08-30T13:00:00Z", "conditions": [["ends-with", "$key", "a"]]}`,
		`{"expiration": "2026-08-30T13:00:00Z", "conditions": [["eq", "$key"]]}`, `{"expiration": "2026-08-30T13:00:00Z", "conditions": [["content-length-range", 0]]}`,
		`{"expiration": "2026-08-30T13:00:00Z", "conditions": [["content-length-range", -1, 5]]}`,
		`{"expiration": "2026-08-30T13:00:00Z", "conditions": [["content-length-range", 6, 5]]}`,
		`{"expiration": "2026-08-30T13:00:00Z", "conditions": [["content-length-range", 1.5, 5]]}`,
		`{"expiration": "2026-08-30T13:00:00Z", "conditions": [17]}`,
	} {
		if p, err := ParsePolicy(encode(doc)); fault.CodeOf(err) != "InvalidPolicyDocument" {
			t.Errorf("%s: %v, %v", doc, p, err)
		}
	}
}

func TestAPolicyIsObeyed(t *testing.T) {
	const all = `{"bucket": "pond"}, ["starts-with", "$KEY", "user/"], ["eq", "$acl", "private"], ["starts-with", "$Content-Type", "image/"]`
	good := map[string]string{"bucket": "pond", "key": "user/x", "acl": "private", "content-type": "image/png,image/jpeg",
		"policy": "x", "x-amz-signature": "y", "x-ignore-me": "z"}
	with := func(name, value string) map[string]string {
		m := map[string]string{}
		for k, v := range good {
			m[k] = v
		}
		if m[name] = value; value == "" {
			delete(m, name)
		}
		return m
	}
	for _, c := range []struct {
		conditions string
		fields     map[string]string
		at         time.Time
		want       string // in the refusal; "": allowed
	}{
		{all, good, noon, ""},
		{all, good, noon.Add(time.Hour), "Policy expired."},
		{all, with("bucket", "other"), noon, `["eq", "$bucket", "pond"]`},
		{all, with("key", "other/x"), noon, `["starts-with", "$key", "user/"]`},
		{all, with("key", ""), noon, `Condition failed`},
		{all, with("acl", "public-read"), noon, `["eq", "$acl", "private"]`},
		{all, with("content-type", "image/png,text/html"), noon, "Condition failed"},
		{all, with("x-amz-meta-a", "1"), noon, "Extra input fields: x-amz-meta-a"},
		{all, with("tagging", "1"), noon, "Extra input fields: tagging"},
		{`["starts-with", "$key", ""]`, map[string]string{"key": "k", "bucket": "pond"}, noon, "Extra input fields: bucket"},
	} {
		p, err := ParsePolicy(policy(c.conditions))
		if err != nil {
			t.Fatal(err)
		}
		err = p.Check(c.at, c.fields)
		if c.want == "" && err != nil || c.want != "" && (fault.CodeOf(err) != "AccessDenied" || !strings.Contains(fault.Of(err).Text, c.want)) {
			t.Errorf("%v: %v, want %q", c.fields, err, c.want)
		}
	}
}

func TestSizes(t *testing.T) {
	p, err := ParsePolicy(policy(`["content-length-range", 1, 100], ["Content-Length-Range", "10", "1000"]`))
	if err != nil {
		t.Fatal(err)
	}
	if least, most, ok := p.Sizes(); least != 10 || most != 100 || !ok {
		t.Errorf("%d to %d, %v", least, most, ok)
	}
}

// part writes a part of a form; a name of a file makes it a file.
func form(t testing.TB, parts ...[3]string) (string, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		var to io.Writer
		var err error
		if p[2] != "" {
			to, err = w.CreateFormFile(p[0], p[2])
		} else {
			to, err = w.CreateFormField(p[0])
		}
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(to, p[1])
	}
	_ = w.Close()
	return w.FormDataContentType(), &b
}

func TestAForm(t *testing.T) {
	kind, body := form(t, [3]string{"Key", "up/${filename}"}, [3]string{"Policy", "${filename}"}, [3]string{"file", "bytes of it", `C:\pictures\a.png`}, [3]string{"after", "ignored"})
	f, err := Read(kind, body)
	if err != nil {
		t.Fatal(err)
	}
	if f.Fields["key"] != "up/a.png" || f.Fields["policy"] != "${filename}" || len(f.Fields) != 2 {
		t.Errorf("%v", f)
	}
	if b, err := io.ReadAll(f.File); string(b) != "bytes of it" || err != nil {
		t.Errorf("%q, %v", b, err)
	}
}

func TestFormsThatAreRefused(t *testing.T) {
	key := [3]string{"key", "k"}
	file := [3]string{"file", strings.Repeat("bytes", 2000), "f"}
	read := func(kind string, body io.Reader) error {
		f, err := Read(kind, body)
		if err == nil {
			_, err = io.Copy(io.Discard, f.File)
		}
		return err
	}
	try := func(what string, want *fault.Fault, kind string, body io.Reader) {
		t.Helper()
		if err := read(kind, body); !errors.Is(err, want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	kind, whole := form(t, key, file)
	for _, n := range []int{whole.Len() - 1, whole.Len() - 10, whole.Len() / 2, 20} {
		if err := read(kind, bytes.NewReader(whole.Bytes()[:n])); err == nil && n != whole.Len()-1 {
			t.Errorf("%d of %d bytes are a form", n, whole.Len())
		}
	}
	try("no multipart", NotMultipart, "application/x-www-form-urlencoded", whole)
	try("no boundary", Malformed, "multipart/form-data", whole)
	try("other boundary", Malformed, "multipart/form-data; boundary=other", bytes.NewReader(whole.Bytes()))
	for _, c := range []struct {
		what  string
		want  *fault.Fault
		parts [][3]string
	}{
		{"no file", FilesCount, [][3]string{key}},
		{"two files", FilesCount, [][3]string{key, file, file}},
		{"a field twice", Malformed, [][3]string{key, {"KEY", "other"}, file}},
		{"not UTF-8", Malformed, [][3]string{{"key", "\xff"}, file}},
		{"long fields", FieldsLong, [][3]string{key, {"x-ignore-a", strings.Repeat("x", 30_000)}, file}},
		{"long beyond reading", FieldsLong, [][3]string{key, {"x-ignore-a", strings.Repeat("x", 3_000_000)}, file}},
	} {
		kind, body := form(t, c.parts...)
		try(c.what, c.want, kind, body)
	}
}

// TestNothingIsReadBeyondTheFields counts what is taken of a body whose file is endless.
func TestNothingIsReadBeyondTheFields(t *testing.T) {
	kind, begin := form(t, [3]string{"key", "k"}, [3]string{"file", "x", "f"})
	head, _, _ := strings.Cut(begin.String(), "\r\n\r\nx")
	taken := 0
	body := io.MultiReader(strings.NewReader(head+"\r\n\r\n"), readerFunc(func(p []byte) (int, error) { taken += len(p); return len(p), nil }))
	if _, err := Read(kind, body); err != nil || taken > 16<<10 {
		t.Errorf("%d bytes, %v", taken, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func FuzzPolicy(f *testing.F) {
	f.Add(`{"expiration": "2026-08-30T13:00:00.000Z", "conditions": [{"bucket": "b"}, ["starts-with", "$key", ""], ["content-length-range", 1, 2]]}`, "key", "v")
	f.Add(`{"expiration": "2026-08-30T13:00:00Z", "conditions": [[]]}`, "", "")
	f.Fuzz(func(t *testing.T, doc, name, value string) {
		p, err := ParsePolicy(encode(doc))
		if err != nil {
			if f, ok := errors.AsType[*fault.Fault](err); !ok || f.Kind != fault.Invalid {
				t.Fatalf("%v", err)
			}
			return
		}
		fields := map[string]string{strings.ToLower(name): value}
		err = p.Check(noon, fields)
		if err == nil && !strings.Contains(strings.ToLower(doc), "\\u") && !free[strings.ToLower(name)] && !strings.HasPrefix(strings.ToLower(name), "x-ignore-") &&
			len(p.conditions) == 0 {
			t.Fatalf("%q lets %q through", doc, name)
		}
		if p.Check(p.expires, fields) == nil {
			t.Fatal("an expired policy counts")
		}
	})
}

func FuzzForm(f *testing.F) {
	kind, body := form(f, [3]string{"key", "k"}, [3]string{"file", "x", "f"}, [3]string{"more", "m"})
	_, boundary, _ := strings.Cut(kind, "boundary=")
	f.Add(boundary, body.Bytes())
	f.Fuzz(func(t *testing.T, boundary string, body []byte) {
		form, err := Read(fmt.Sprintf("multipart/form-data; boundary=%q", boundary), bytes.NewReader(body))
		if err != nil {
			return
		}
		if n, err := io.Copy(io.Discard, form.File); err == nil && n > int64(len(body)) {
			t.Fatalf("%d bytes of %d", n, len(body))
		}
	})
}
