package setting

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"karri/shared/fault"
	"karri/walrus/access"
	"karri/walrus/index"
)

// A document is read, rendered and read again: the same, and rendered the same.
func roundTrip[T any, P Document[T]](doc []byte) (rendered []byte, err error) {
	v, err := Parse[T, P](doc)
	if err != nil {
		return nil, err
	}
	first, err := Render(v)
	if err != nil {
		return nil, err
	}
	again, err := Parse[T, P](first)
	if err != nil {
		return first, fault.New(fault.Broken, "Changed", "what was rendered cannot be read: %v: %s", err, first)
	}
	second, err := Render(again)
	if err != nil || !bytes.Equal(first, second) {
		return first, fault.New(fault.Broken, "Changed", "%s\n%s", first, second)
	}
	return first, nil
}

// parsers are all documents, by the name of the root.
var parsers = map[string]func([]byte) ([]byte, error){
	"VersioningConfiguration": roundTrip[Versioning], "Tagging": roundTrip[ObjectTagging], "BucketTagging": roundTrip[BucketTagging],
	"CORSConfiguration": roundTrip[CORS], "LifecycleConfiguration": roundTrip[Lifecycle],
	"ServerSideEncryptionConfiguration": roundTrip[Encryption], "ObjectLockConfiguration": roundTrip[Lock],
	"NotificationConfiguration": roundTrip[Notification], "BucketLoggingStatus": roundTrip[Logging],
	"WebsiteConfiguration": roundTrip[Website], "InventoryConfiguration": roundTrip[Inventory],
	"ReplicationConfiguration": roundTrip[Replication], "RequestPaymentConfiguration": roundTrip[Payment],
}

// A sample is what is in a document's root, and the code that it is refused
// with: "" when it is good. One that begins with < is a whole document.
type sample struct{ root, in, code string }

func (s sample) doc() string {
	if strings.HasPrefix(s.root, "<") {
		return s.root
	}
	name := strings.TrimPrefix(s.root, "Bucket")
	if s.root == "BucketLoggingStatus" {
		name = s.root
	}
	return "<" + name + ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` + s.in + "</" + name + ">"
}

func repeat(s string, n int) string { return strings.Repeat(s, n) }

func tags(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("<Tag><Key>k" + repeat("x", i) + "</Key><Value>v</Value></Tag>")
	}
	return "<TagSet>" + b.String() + "</TagSet>"
}

func TestDocuments(t *testing.T) {
	for _, s := range slices.Concat(samples, lifecycles, notifications, websites, others) {
		got := ""
		if _, err := parsers[s.root]([]byte(s.doc())); err != nil {
			got = fault.CodeOf(err)
			if got == "Changed" {
				t.Error(err)
			}
		}
		if got != s.code {
			t.Errorf("%s %.300s: got %q, want %q", s.root, s.in, got, s.code)
		}
	}
}

func TestForm(t *testing.T) {
	for doc, good := range map[string]bool{
		`<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>`:                                                                   true,
		`<?xml version="1.0" encoding="UTF-8"?>` + "\n<!-- c -->" + sample{"CORSConfiguration", corsGood, ""}.doc() + "\n":                                                                                 true,
		`<s:CORSConfiguration xmlns:s="http://s3.amazonaws.com/doc/2006-03-01/"><s:CORSRule><s:AllowedMethod>GET</s:AllowedMethod><s:AllowedOrigin>*</s:AllowedOrigin></s:CORSRule></s:CORSConfiguration>`: true,
		`<CORSConfiguration xmlns="http://doc.s3.amazonaws.com/2006-03-01">` + corsGood + `</CORSConfiguration>`:                                                                                           true,
		``:                     false,
		`junk`:                 false,
		`<CORSConfiguration/>`: false,
		`<Other/>`:             false,
		`<CORSConfiguration xmlns="http://elsewhere/">` + corsGood + `</CORSConfiguration>`:                               false,
		`<CORSConfiguration a="b">` + corsGood + `</CORSConfiguration>`:                                                   false,
		`<CORSConfiguration>` + corsGood:                                                                                  false,
		`<CORSConfiguration>` + corsGood + `</CORSConfiguration>x`:                                                        false,
		`<CORSConfiguration>` + corsGood + `</CORSConfiguration><more/>`:                                                  false,
		`<CORSConfiguration>text` + corsGood + `</CORSConfiguration>`:                                                     false,
		`<!DOCTYPE a [<!ENTITY e "GET">]><CORSConfiguration>` + corsGood + `</CORSConfiguration>`:                         false,
		`<CORSConfiguration>` + strings.Replace(corsGood, "GET", "&e;", 1) + `</CORSConfiguration>`:                       false,
		`<CORSConfiguration>` + strings.Replace(corsGood, "GET", "<b/>", 1) + `</CORSConfiguration>`:                      false,
		`<CORSConfiguration>` + strings.Replace(corsGood, "</CORSRule>", "<New/></CORSRule>", 1) + `</CORSConfiguration>`: false,
		`<CORSConfiguration>` + repeat("<a>", 100_000):                                                                    false,
	} {
		if _, err := Parse[CORS]([]byte(doc)); (err == nil) != good || err != nil && fault.CodeOf(err) != "MalformedXML" {
			t.Errorf("%.200s: %v", doc, err)
		}
	}
}

func FuzzDocuments(f *testing.F) {
	for _, s := range slices.Concat(samples, lifecycles, notifications, websites, others) {
		if d := s.doc(); len(d) < 4<<10 {
			f.Add([]byte(d))
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, parse := range parsers {
			if _, err := parse(doc); err != nil && fault.KindOf(err) == fault.Broken {
				t.Errorf("%s: %v", doc, err)
			}
		}
		obey(doc)
	})
}

// obey calls what obeys a document, whatever is in it.
func obey(doc []byte) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 6, time.UTC)
	if v, err := Parse[CORS](doc); err == nil {
		v.Match("http://a", "GET", []string{"range", ""})
	}
	if v, err := Parse[Lifecycle](doc); err == nil {
		for _, f := range []Facts{{Key: "a"}, {Key: "a", Noncurrent: true, Newer: 3}, {Marker: true, Alone: true}} {
			v.Due(f, now)
		}
		v.Expires(Facts{Key: "a", Modified: now})
		v.UploadDue("a", now, now)
	}
	if v, err := Parse[Website](doc); err == nil && v.RedirectAll == nil {
		v.Route("http", "h", "docs/a", 404)
	}
	if v, err := Parse[Notification](doc); err == nil {
		v.For("s3:ObjectCreated:Put", "a.jpg")
		_ = v.Check(EventTargets{}, "1")
	}
	if v, err := Parse[Replication](doc); err == nil {
		v.For("a", nil, true)
		_ = v.Check(ReplicationTargets{}, "1")
	}
	if v, err := Parse[Lock](doc); err == nil {
		v.Retention(now)
	}
	if v, err := Parse[Logging](doc); err == nil && v.Enabled != nil {
		v.Enabled.Key("1", "r", "b", now, now, "u")
	}
	if v, err := Parse[Inventory](doc); err == nil {
		v.Due(now, now)
	}
}

func TestRead(t *testing.T) {
	own, err := access.Private("111111111111").Render()
	if err != nil {
		t.Fatal(err)
	}
	docs := map[string][]byte{InventoryName("b"): nil, InventoryName("a"): nil, "acl": own,
		"policy":            []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::pond/*"}]}`),
		"publicAccessBlock": []byte("<PublicAccessBlockConfiguration><IgnorePublicAcls>true</IgnorePublicAcls></PublicAccessBlockConfiguration>"),
		"ownershipControls": []byte("<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>")}
	for _, s := range slices.Concat(samples, lifecycles, notifications, websites, others) {
		name := map[string]string{"CORSConfiguration": "cors", "BucketTagging": "tagging", "LifecycleConfiguration": "lifecycle", "WebsiteConfiguration": "website",
			"ServerSideEncryptionConfiguration": "encryption", "ObjectLockConfiguration": "object-lock", "NotificationConfiguration": "notification",
			"BucketLoggingStatus": "logging", "ReplicationConfiguration": "replication"}[s.root]
		if name != "" && s.code == "" {
			docs[name] = []byte(s.doc())
		}
		if s.root == "InventoryConfiguration" && s.code == "" {
			docs[InventoryName("a")] = []byte(s.doc())
			docs[InventoryName("b")] = []byte(strings.Replace(s.doc(), "<Id>", "<Id>b", 1))
		}
	}
	a, err := Read(&index.Bucket{Name: "pond", Settings: docs})
	if err != nil {
		t.Fatal(err)
	}
	v := reflect.ValueOf(a).Elem()
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("%s is not read", v.Type().Field(i).Name)
		}
	}
	if len(a.Inventories) != 2 || a.Inventories[1].ID < a.Inventories[0].ID {
		t.Errorf("inventories: %+v", a.Inventories)
	}
	if len(docs) != len(kinds)+3 {
		t.Errorf("%d documents for %d kinds", len(docs), len(kinds))
	}
	for name, doc := range map[string]string{"cors": "<x/>", "unheard-of": "", InventoryName("x"): ""} {
		if _, err := Read(&index.Bucket{Settings: map[string][]byte{name: []byte(doc)}}); fault.KindOf(err) != fault.Broken || err == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
