package access

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"karri/shared/fault"
	"karri/shared/policy"
)

const (
	ann = "111111111111"
	bob = "222222222222"
	eve = "333333333333"
)

func root(account string) policy.Principal {
	if account == "" {
		return policy.Principal{}
	}
	return policy.Principal{Account: account, ARN: "arn:aws:iam::" + account + ":root"}
}

func TestCanonicalIsStable(t *testing.T) {
	if got := Canonical(ann); len(got) != 64 || Canonical(ann) == Canonical(bob) || Canonical("") != "" {
		t.Error(got)
	}
}

func describe(a *ACL) string {
	var all []string
	for _, g := range a.Grants {
		who := g.Group[strings.LastIndexByte(g.Group, '/')+1:]
		for _, account := range []string{ann, bob, eve, cloudAccount} {
			if g.ID == Canonical(account) {
				who = account[:1]
			}
		}
		all = append(all, who+":"+string(g.Permission))
	}
	return strings.Join(all, " ")
}

func TestCannedLists(t *testing.T) {
	for _, c := range []struct{ name, bucket, object string }{
		{"private", "1:FULL_CONTROL", "2:FULL_CONTROL"},
		{"public-read", "1:FULL_CONTROL AllUsers:READ", "2:FULL_CONTROL AllUsers:READ"},
		{"public-read-write", "1:FULL_CONTROL AllUsers:READ AllUsers:WRITE", "2:FULL_CONTROL AllUsers:READ AllUsers:WRITE"},
		{"authenticated-read", "1:FULL_CONTROL AuthenticatedUsers:READ", "2:FULL_CONTROL AuthenticatedUsers:READ"},
		{"aws-exec-read", "1:FULL_CONTROL 0:READ", "2:FULL_CONTROL 0:READ"},
		{"bucket-owner-read", "1:FULL_CONTROL", "2:FULL_CONTROL 1:READ"},
		{"bucket-owner-full-control", "1:FULL_CONTROL", "2:FULL_CONTROL 1:FULL_CONTROL"},
		{"log-delivery-write", "1:FULL_CONTROL LogDelivery:WRITE LogDelivery:READ_ACP", ""},
		{"public", "", ""},
	} {
		for _, object := range []bool{false, true} {
			owner, want := ann, c.bucket
			if object {
				owner, want = bob, c.object
			}
			a, ok := Canned(c.name, owner, ann, object)
			if ok != (want != "") || ok && describe(a) != want {
				t.Errorf("%s %v: got %+v, want %s", c.name, object, a, want)
			}
		}
	}
}

func TestListsInHeaders(t *testing.T) {
	b := Canonical(bob)
	for _, c := range []struct {
		headers map[string]string
		want    string // describes the list; "-" for none
		code    string
	}{
		{nil, "-", ""},
		{map[string]string{"x-amz-acl": "public-read"}, "1:FULL_CONTROL AllUsers:READ", ""},
		{map[string]string{"x-amz-acl": "Public"}, "", "InvalidArgument"},
		{map[string]string{"x-amz-grant-read": `id="` + b + `", uri="` + AllUsers + `"`, "x-amz-grant-full-control": "id=" + Canonical(ann)}, "1:FULL_CONTROL 2:READ AllUsers:READ", ""},
		{map[string]string{"x-amz-grant-write-acp": `id="` + b + `"`, "x-amz-grant-read-acp": `id=` + b, "x-amz-grant-write": "uri=" + LogDelivery}, "2:READ_ACP LogDelivery:WRITE 2:WRITE_ACP", ""},
		{map[string]string{"x-amz-grant-read": `emailAddress="a@example.com"`}, "", "UnresolvableGrantByEmailAddress"},
		{map[string]string{"x-amz-grant-read": `id="abc"`}, "", "InvalidArgument"},
		{map[string]string{"x-amz-grant-read": `uri="http://example.com"`}, "", "InvalidArgument"},
		{map[string]string{"x-amz-grant-read": `bob`}, "", "InvalidArgument"},
		{map[string]string{"x-amz-acl": "private", "x-amz-grant-read": "id=" + b}, "", "InvalidRequest"},
	} {
		a, err := Asked(func(name string) string { return c.headers[name] }, ann, ann, false)
		switch {
		case c.code != "":
			if err == nil || fault.CodeOf(err) != c.code {
				t.Errorf("%v: got %v", c.headers, err)
			}
		case err != nil:
			t.Errorf("%v: %v", c.headers, err)
		case a == nil && c.want != "-" || a != nil && describe(a) != c.want:
			t.Errorf("%v: got %+v", c.headers, a)
		}
	}
}

func grantDoc(grantee, permission string) string {
	return `<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>` + Canonical(ann) + `</ID></Owner><AccessControlList><Grant>` +
		grantee + `<Permission>` + permission + `</Permission></Grant></AccessControlList></AccessControlPolicy>`
}

const xsi = `<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type=`

var aclDocuments = []struct{ doc, want, code string }{
	{grantDoc(xsi+`"CanonicalUser"><ID>`+Canonical(bob)+`</ID><DisplayName>b</DisplayName></Grantee>`, "READ"), "2:READ", ""},
	{grantDoc(xsi+`"Group"><URI>`+AllUsers+`</URI></Grantee>`, "WRITE_ACP"), "AllUsers:WRITE_ACP", ""},
	{grantDoc(xsi+`"AmazonCustomerByEmail"><EmailAddress>a@b</EmailAddress></Grantee>`, "READ"), "", "UnresolvableGrantByEmailAddress"},
	{grantDoc(xsi+`"Group"><URI>http://x</URI></Grantee>`, "READ"), "", "InvalidArgument"},
	{grantDoc(xsi+`"CanonicalUser"><ID>x</ID></Grantee>`, "READ"), "", "InvalidArgument"},
	{grantDoc(xsi+`"CanonicalUser"><URI>`+AllUsers+`</URI></Grantee>`, "READ"), "", "MalformedACLError"},
	{grantDoc(`<Grantee><ID>`+Canonical(bob)+`</ID></Grantee>`, "READ"), "", "MalformedACLError"},
	{grantDoc(xsi+`"CanonicalUser"><ID>`+Canonical(bob)+`</ID></Grantee>`, "ALL"), "", "MalformedACLError"},
	{grantDoc(``, "READ"), "", "MalformedACLError"},
	{``, "", "MalformedACLError"},
	{`<AccessControlPolicy><Owner><ID>` + Canonical(ann) + `</ID></Owner><AccessControlList/></AccessControlPolicy>`, "", ""},
	{`<AccessControlPolicy><AccessControlList/></AccessControlPolicy>`, "", "MalformedACLError"},
	{`<AccessControlPolicy><Owner><ID>` + Canonical(ann) + `</ID></Owner></AccessControlPolicy>`, "", "MalformedACLError"},
	{`<ACL><Owner><ID>` + Canonical(ann) + `</ID></Owner><AccessControlList/></ACL>`, "", "MalformedACLError"},
	{`<AccessControlPolicy><Owner><ID>` + Canonical(ann) + `</ID></Owner><AccessControlList/></AccessControlPolicy><x/>`, "", "MalformedACLError"},
}

func TestListsInDocuments(t *testing.T) {
	for _, c := range aclDocuments {
		a, err := ParseACL([]byte(c.doc))
		if c.code != "" {
			if err == nil || fault.CodeOf(err) != c.code {
				t.Errorf("%s: got %v, want %s", c.doc, err, c.code)
			}
			continue
		}
		if err != nil || describe(a) != c.want {
			t.Errorf("%s: got %+v %v", c.doc, a, err)
		}
	}
}

func FuzzDocuments(f *testing.F) {
	for _, c := range aclDocuments {
		f.Add([]byte(c.doc))
	}
	f.Add([]byte(`<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>`))
	f.Add([]byte(`<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		if a, err := ParseACL(doc); err == nil {
			again(t, a, ParseACL)
		}
		if b, err := ParsePublicAccessBlock(doc); err == nil {
			again(t, b, ParsePublicAccessBlock)
		}
		if o, err := ParseOwnershipControls(doc); err == nil {
			again(t, o, ParseOwnershipControls)
		}
		if p, err := ParsePolicy(doc, "pond"); err == nil && len(p.Statements) == 0 {
			t.Fatal("no statement")
		}
	})
}

func again[T interface{ Render() ([]byte, error) }](t *testing.T, v T, parse func([]byte) (T, error)) {
	b, err := v.Render()
	if err != nil {
		t.Fatal(err)
	}
	w, err := parse(b)
	if err != nil || !reflect.DeepEqual(v, w) {
		t.Fatalf("%s: %+v became %+v: %v", b, v, w, err)
	}
}

func TestSettingsInDocuments(t *testing.T) {
	b, err := ParsePublicAccessBlock([]byte(`<PublicAccessBlockConfiguration><BlockPublicAcls>TRUE</BlockPublicAcls><RestrictPublicBuckets>false</RestrictPublicBuckets></PublicAccessBlockConfiguration>`))
	if err != nil || !b.BlockPublicAcls || b.IgnorePublicAcls || b.RestrictPublicBuckets {
		t.Errorf("%+v %v", b, err)
	}
	again(t, b, ParsePublicAccessBlock)
	for _, doc := range []string{`<PublicAccessBlockConfiguration/>`, `<PublicAccessBlockConfiguration><BlockPublicAcls>yes</BlockPublicAcls></PublicAccessBlockConfiguration>`,
		`<PublicAccessBlockConfiguration><Block>true</Block></PublicAccessBlockConfiguration>`} {
		if _, err := ParsePublicAccessBlock([]byte(doc)); fault.CodeOf(err) != "MalformedXML" {
			t.Errorf("%s: %v", doc, err)
		}
	}
	const owner = `<OwnershipControls><Rule><ObjectOwnership>%s</ObjectOwnership></Rule></OwnershipControls>`
	for _, o := range []Ownership{OwnerEnforced, OwnerPreferred, ObjectWriter} {
		got, err := ParseOwnershipControls(fmt.Appendf(nil, owner, o))
		if err != nil || *got != o {
			t.Errorf("%s: %v %v", o, got, err)
		}
	}
	for _, doc := range []string{fmt.Sprintf(owner, "Mine"), `<OwnershipControls/>`, `<OwnershipControls><Rule/></OwnershipControls>`} {
		if _, err := ParseOwnershipControls([]byte(doc)); fault.CodeOf(err) != "MalformedXML" {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

func TestWhoOwnsWhatIsPut(t *testing.T) {
	full, _ := Canned("bucket-owner-full-control", bob, ann, true)
	for _, c := range []struct {
		o    Ownership
		who  string
		acl  *ACL
		want string
	}{
		{"", bob, nil, bob}, {ObjectWriter, bob, full, bob}, {OwnerPreferred, bob, nil, bob}, {OwnerPreferred, bob, full, ann},
		{OwnerEnforced, bob, nil, ann}, {ObjectWriter, "", nil, ann}, {ObjectWriter, ann, nil, ann},
	} {
		if got := c.o.Of(c.who, ann, c.acl); got != c.want {
			t.Errorf("%+v: got %s", c, got)
		}
	}
	if !full.OwnerHasAll(ann) || !Private(ann).OwnerHasAll(ann) || Private(bob).OwnerHasAll(ann) {
		t.Error("OwnerHasAll")
	}
	if pub, _ := Canned("public-read", ann, ann, false); pub.OwnerHasAll(ann) || !pub.Public() {
		t.Error("public-read")
	}
}

func TestPolicyOfABucket(t *testing.T) {
	st := func(rest string) string { return `{"Version":"2012-10-17","Statement":[{` + rest + `}]}` }
	const everyone = `"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::pond/*"`
	for _, c := range []struct {
		doc    string
		says   string
		public bool
	}{
		{st(everyone), "", true},
		{st(strings.Replace(everyone, `"*"`, `{"AWS":"*"}`, 1)), "", true},
		{st(strings.Replace(everyone, "Allow", "Deny", 1)), "", false},
		{st(strings.Replace(everyone, `"*"`, `{"AWS":"222222222222"}`, 1)), "", false},
		{st(everyone + `,"Condition":{"StringEquals":{"aws:PrincipalAccount":"222222222222"}}`), "", false},
		{st(everyone + `,"Condition":{"StringLike":{"aws:PrincipalAccount":"2*"}}`), "", true},
		{st(everyone + `,"Condition":{"StringNotEquals":{"aws:PrincipalAccount":"222222222222"}}`), "", true},
		{st(everyone + `,"Condition":{"StringEqualsIfExists":{"aws:PrincipalAccount":"222222222222"}}`), "", true},
		{st(everyone + `,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`), "", false},
		{st(everyone + `,"Condition":{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","0.0.0.0/1"]}}`), "", true},
		{st(everyone + `,"Condition":{"IpAddress":{"aws:SourceIp":"2001:db8::/31"}}`), "", true},
		{st(everyone + `,"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::222222222222:user/*"}}`), "", false},
		{st(everyone + `,"Condition":{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/x"}}`), "", true},
		{st(everyone + `,"Condition":{"StringLike":{"aws:Referer":"http://x/*"}}`), "", true},
		{`{"Statement":{"Effect":"Allow"}}`, "no Action", false},
		{st(strings.Replace(everyone, "pond", "lake", 1)), "Policy has invalid resource: arn:aws:s3:::lake/*", false},
		{st(strings.Replace(everyone, "pond/*", "po*", 1)), "", true},
		{st(strings.Replace(everyone, "arn:aws:s3:::pond/*", "*", 1)), "Policy has invalid resource: *", false},
		{st(strings.Replace(everyone, "s3:GetObject", "s3:TakeObject", 1)), "Policy has invalid action: s3:TakeObject", false},
		{st(strings.Replace(everyone, "s3:GetObject", "ec2:RunInstances", 1)), "Policy has invalid action", false},
		{st(strings.Replace(everyone, "s3:GetObject", "s3:ListBucket", 1)), "Action does not apply to any resource(s) in statement", false},
		{st(strings.Replace(everyone, "pond/*", "pond", 1)), "Action does not apply", false},
		{st(strings.Replace(everyone, "s3:GetObject", "s3:*", 1)), "", true},
		{strings.Repeat(" ", 21<<10), "longer than", false},
	} {
		p, err := ParsePolicy([]byte(c.doc), "pond")
		if c.says != "" {
			if err == nil || fault.CodeOf(err) != "MalformedPolicy" || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%.300s: got %v, want %s", c.doc, err, c.says)
			}
			continue
		}
		if err != nil || p.Public != c.public {
			t.Errorf("%s: %v, public: want %v", c.doc, err, c.public)
		}
	}
}

func TestEveryActionIsOfOneList(t *testing.T) {
	for _, a := range bucketActions {
		if slices.Contains(objectActions, a) || !Known("s3:"+a) {
			t.Error(a)
		}
	}
	for a := range byObjectList {
		if !aboutObject("s3:" + a) {
			t.Errorf("%s can be allowed by the list of an object that is never read", a)
		}
	}
	for _, a := range ofObject {
		if !Known(a) {
			t.Error(a)
		}
	}
}
