package daemon_test

import (
	"fmt"
	"strings"
	"testing"

	"karri/walrus/access"
	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
)

var annID, bobID = access.Canonical(ann.Account), access.Canonical(bob.Account)

func aclXML(owner, grantee, permission string) string {
	return `<AccessControlPolicy xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Owner><ID>` + owner + `</ID></Owner><AccessControlList><Grant>` +
		`<Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"><ID>` + grantee + `</ID></Grantee><Permission>` + permission +
		`</Permission></Grant></AccessControlList></AccessControlPolicy>`
}

const publicPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::pond/*"}]}`

func TestListsAreSetAndRead(t *testing.T) {
	w := walrustest.Start(t, walrustest.StartCloud(t), daemon.Config{})
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond/k", body: "hello", status: 200},
		{method: "GET", path: "/pond?acl", status: 200, has: []string{"<Owner><ID>" + annID + "</ID><DisplayName>" + ann.Account, "<Permission>FULL_CONTROL"}},
		{method: "PUT", path: "/pond?acl", body: aclXML(annID, bobID, "READ"), status: 200},
		{method: "GET", path: "/pond?acl", status: 200, has: []string{`xsi:type="CanonicalUser"><ID>` + bobID, "<Permission>READ</Permission>"}},
		{method: "PUT", path: "/pond?acl", body: aclXML(bobID, bobID, "READ"), status: 403, code: "AccessDenied"},
		{method: "PUT", path: "/pond?acl", body: aclXML(annID, bobID, "ALL"), status: 400, code: "MalformedACLError"},
		{method: "PUT", path: "/pond?acl", body: aclXML(annID, "bob", "READ"), status: 400, code: "InvalidArgument"},
		{method: "PUT", path: "/pond?acl", body: strings.Replace(aclXML(annID, bobID, "READ"), "CanonicalUser\"><ID>"+bobID+"</ID>", "AmazonCustomerByEmail\"><EmailAddress>b@c</EmailAddress>", 1), status: 400, code: "UnresolvableGrantByEmailAddress"},
		{method: "PUT", path: "/pond?acl", status: 400, code: "MissingSecurityHeader"},
		{method: "PUT", path: "/pond?acl", body: aclXML(annID, bobID, "READ"), headers: []string{"x-amz-acl: private"}, status: 400, code: "UnexpectedContent"},
		{method: "PUT", path: "/pond?acl", headers: []string{"x-amz-acl: private", "x-amz-grant-read: id=" + bobID}, status: 400, code: "InvalidRequest"},
		{method: "PUT", path: "/pond?acl", headers: []string{"x-amz-acl: everybody"}, status: 400, code: "InvalidArgument"},
		{method: "PUT", path: "/pond?acl", headers: []string{"x-amz-grant-read: emailAddress=b@c"}, status: 400, code: "UnresolvableGrantByEmailAddress"},
		{method: "PUT", path: "/pond/k?acl", headers: []string{"x-amz-grant-read: uri=" + access.AllUsers}, status: 200},
		{method: "GET", path: "/pond/k?acl", status: 200, has: []string{`xsi:type="Group"><URI>` + access.AllUsers}},
		{method: "GET", path: "/pond/missing?acl", status: 404, code: "NoSuchKey"},
		{method: "PUT", path: "/pond/missing?acl", headers: []string{"x-amz-acl: private"}, status: 404, code: "NoSuchKey"},
		{method: "PUT", path: "/pond/p", body: "x", headers: []string{"x-amz-acl: public-read"}, status: 200},
		{method: "PUT", path: "/pond/q", headers: []string{"x-amz-acl: authenticated-read", "x-amz-copy-source: /pond/p"}, status: 200},
		{method: "GET", path: "/pond/p?acl", status: 200, has: []string{"AllUsers"}},
		{method: "GET", path: "/pond/q?acl", status: 200, has: []string{"AuthenticatedUsers"}},
		{who: bob, method: "GET", path: "/pond/p", status: 200},
		{who: bob, method: "GET", path: "/pond/q", status: 200},
		{who: bob, method: "GET", path: "/pond/k", headers: []string{"x-amz-expected-bucket-owner: " + ann.Account}, status: 200},
		{who: bob, method: "GET", path: "/pond/k", headers: []string{"x-amz-expected-bucket-owner: " + bob.Account}, status: 403, code: "AccessDenied"},
		{method: "PUT", path: "/pond/p", body: "x", status: 200}, // a new object has a new list
		{who: bob, method: "GET", path: "/pond/p", status: 403, code: "AccessDenied"},
	})
}

func TestBlocksAndOwnership(t *testing.T) {
	w := walrustest.Start(t, walrustest.StartCloud(t), daemon.Config{})
	pab := `<PublicAccessBlockConfiguration><%s>true</%s></PublicAccessBlockConfiguration>`
	own := `<OwnershipControls><Rule><ObjectOwnership>%s</ObjectOwnership></Rule></OwnershipControls>`
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "GET", path: "/pond?publicAccessBlock", status: 404, code: "NoSuchPublicAccessBlockConfiguration"},
		{method: "PUT", path: "/pond?publicAccessBlock", body: "<x/>", status: 400, code: "MalformedXML"},
		{method: "PUT", path: "/pond?publicAccessBlock", body: fmt.Sprintf(pab, "BlockPublicAcls", "BlockPublicAcls"), status: 200},
		{method: "GET", path: "/pond?publicAccessBlock", status: 200, has: []string{"<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>false</IgnorePublicAcls>"}},
		{method: "PUT", path: "/pond?acl", headers: []string{"x-amz-acl: public-read"}, status: 403, code: "AccessDenied"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"x-amz-acl: public-read"}, status: 403, code: "AccessDenied"},
		{method: "POST", path: "/pond/k?uploads", headers: []string{"x-amz-acl: public-read"}, status: 403, code: "AccessDenied"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"x-amz-grant-read: id=" + bobID}, status: 200},
		{method: "PUT", path: "/pond?policy", body: publicPolicy, status: 204},
		{method: "GET", path: "/pond?policyStatus", status: 200, has: []string{"<IsPublic>true</IsPublic>"}},
		{method: "PUT", path: "/pond?publicAccessBlock", body: fmt.Sprintf(pab, "BlockPublicPolicy", "BlockPublicPolicy"), status: 200},
		{method: "PUT", path: "/pond?policy", body: publicPolicy, status: 403, code: "AccessDenied"},
		{method: "PUT", path: "/pond?policy", body: strings.Replace(publicPolicy, `"*"`, `{"AWS":"222222222222"}`, 1), status: 204},
		{method: "GET", path: "/pond?policyStatus", status: 200, has: []string{"<IsPublic>false</IsPublic>"}},
		{method: "DELETE", path: "/pond?publicAccessBlock", status: 204},
		{method: "DELETE", path: "/pond?policy", status: 204},
		{method: "GET", path: "/pond?policyStatus", status: 404, code: "NoSuchBucketPolicy"},

		{method: "GET", path: "/pond?ownershipControls", status: 404, code: "OwnershipControlsNotFoundError"},
		{method: "PUT", path: "/pond?ownershipControls", body: fmt.Sprintf(own, "Mine"), status: 400, code: "MalformedXML"},
		{method: "PUT", path: "/pond?acl", headers: []string{"x-amz-acl: public-read"}, status: 200},
		{method: "PUT", path: "/pond?ownershipControls", body: fmt.Sprintf(own, "BucketOwnerEnforced"), status: 400, code: "InvalidBucketAclWithObjectOwnership"},
		{method: "PUT", path: "/pond?acl", headers: []string{"x-amz-acl: private"}, status: 200},
		{method: "PUT", path: "/pond?ownershipControls", body: fmt.Sprintf(own, "BucketOwnerEnforced"), status: 200},
		{method: "GET", path: "/pond?ownershipControls", status: 200, has: []string{"BucketOwnerEnforced"}},
		{method: "PUT", path: "/pond?acl", headers: []string{"x-amz-acl: public-read"}, status: 400, code: "AccessControlListNotSupported"},
		{method: "PUT", path: "/pond/k?acl", headers: []string{"x-amz-acl: public-read"}, status: 400, code: "AccessControlListNotSupported"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"x-amz-acl: public-read"}, status: 400, code: "AccessControlListNotSupported"},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"x-amz-acl: bucket-owner-full-control"}, status: 200},
		{method: "DELETE", path: "/pond?ownershipControls", status: 204},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"x-amz-acl: public-read"}, status: 200},
	})
}

// TestOwnersAreListed puts an object of Bob's into a bucket of Ann's.
func TestOwnersAreListed(t *testing.T) {
	w := walrustest.Start(t, walrustest.StartCloud(t), daemon.Config{})
	play(t, w, []ask{
		{method: "PUT", path: "/pond", headers: []string{"x-amz-acl: public-read-write"}, status: 200},
		{who: bob, method: "PUT", path: "/pond/k", body: "x", status: 200},
		{method: "GET", path: "/pond", status: 200, has: []string{bobID}},
		{method: "GET", path: "/pond?versions", status: 200, has: []string{bobID}},
		{method: "PUT", path: "/pond?acl", headers: []string{"x-amz-acl: private"}, status: 200},
		{method: "PUT", path: "/pond?ownershipControls", body: "<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>", status: 200},
		{method: "GET", path: "/pond?versions", status: 200, has: []string{annID}},
	})
	for _, path := range []string{"/pond", "/pond?versions", "/pond/k?acl"} {
		if got := w.Do(t, ann, "GET", path, ""); got.Status != 200 || strings.Contains(got.Body, bobID) {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
}

func TestPoliciesOfBuckets(t *testing.T) {
	w := walrustest.Start(t, walrustest.StartCloud(t), daemon.Config{})
	deny := strings.NewReplacer("Allow", "Deny", `"s3:GetObject"`, `"s3:*"`, `"arn:aws:s3:::pond/*"`, `["arn:aws:s3:::pond","arn:aws:s3:::pond/*"]`).Replace(publicPolicy)
	some := strings.NewReplacer(`"s3:GetObject"`, `["s3:DeleteObject","s3:PutObject"]`, "pond/*", "pond/free/*").Replace(publicPolicy)
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond/k", body: "x", status: 200},
		{method: "PUT", path: "/pond?policy", status: 400, code: "MalformedPolicy"},
		{method: "PUT", path: "/pond?policy", body: strings.Replace(publicPolicy, "pond", "lake", 1), status: 400, code: "MalformedPolicy", has: []string{"Policy has invalid resource"}},
		{method: "PUT", path: "/pond?policy", body: strings.Replace(publicPolicy, "GetObject", "GetIt", 1), status: 400, code: "MalformedPolicy", has: []string{"Policy has invalid action"}},
		{method: "PUT", path: "/pond?policy", body: strings.Repeat(" ", 30<<10) + publicPolicy, status: 400, code: "MalformedPolicy"},
		{method: "PUT", path: "/pond?policy", body: publicPolicy, status: 204},
		{method: "GET", path: "/pond?policy", status: 200, has: []string{publicPolicy, "Content-Type: application/json"}},
		{who: bob, method: "GET", path: "/pond/k", status: 200},
		{who: bob, method: "GET", path: "/pond?policy", status: 403, code: "AccessDenied"},
		// The owner's root is denied all and reaches the policy nevertheless.
		{method: "PUT", path: "/pond?policy", body: deny, status: 204},
		{method: "GET", path: "/pond/k", status: 403, code: "AccessDenied"},
		{method: "DELETE", path: "/pond", status: 403, code: "AccessDenied"},
		{method: "GET", path: "/pond?policy", status: 200},
		{method: "PUT", path: "/pond?policy", body: deny, status: 204},
		{method: "DELETE", path: "/pond?policy", status: 204},
		{method: "GET", path: "/pond/k", status: 200},
		// Deleting many decides on each.
		{method: "PUT", path: "/pond?policy", body: some, status: 204},
		{who: bob, method: "PUT", path: "/pond/free/k", body: "x", status: 200},
		{who: bob, method: "PUT", path: "/pond/k", body: "x", status: 403, code: "AccessDenied"},
		{who: bob, method: "POST", path: "/pond?delete", body: `<Delete><Object><Key>free/k</Key></Object><Object><Key>k</Key></Object></Delete>`, headers: []string{"x-amz-checksum-crc32: 6nxn1w=="}, status: 400, code: "BadDigest"},
		// Who may put may begin an upload, and end what it began.
		{who: bob, method: "GET", path: "/pond/free/k?uploadId=x", status: 403, code: "AccessDenied"},
	})
	body := `<Delete><Object><Key>free/k</Key></Object><Object><Key>k</Key></Object></Delete>`
	got := w.Do(t, bob, "POST", "/pond?delete", body, proof(body))
	if got.Status != 200 || !strings.Contains(got.Body, "<Deleted><Key>free/k</Key></Deleted>") || !strings.Contains(got.Body, "<Error><Key>k</Key><Code>AccessDenied</Code>") {
		t.Errorf("DeleteObjects: %d %s", got.Status, got.Body)
	}
	id := w.Do(t, bob, "POST", "/pond/free/up?uploads", "").Element("UploadId")
	play(t, w, []ask{
		{who: bob, method: "GET", path: "/pond/free/up?uploadId=" + id, status: 200},
		{who: bob, method: "DELETE", path: "/pond/free/up?uploadId=" + id, status: 204},
		{who: bob, method: "PUT", path: "/pond/free/p", body: "x", headers: []string{"x-amz-acl: bucket-owner-full-control"}, status: 403, code: "AccessDenied"},
	})
}

func TestBucketsAreBornWithSettings(t *testing.T) {
	w := walrustest.Start(t, walrustest.StartCloud(t), daemon.Config{Ownership: "BucketOwnerEnforced"})
	play(t, w, []ask{
		{method: "PUT", path: "/one", status: 200},
		{method: "GET", path: "/one?ownershipControls", status: 200, has: []string{"BucketOwnerEnforced"}},
		{method: "PUT", path: "/two", headers: []string{"x-amz-acl: public-read"}, status: 400, code: "InvalidBucketAclWithObjectOwnership"},
		{method: "PUT", path: "/two", headers: []string{"x-amz-object-ownership: Mine"}, status: 400, code: "InvalidArgument"},
		{method: "PUT", path: "/two", headers: []string{"x-amz-acl: public-read", "x-amz-object-ownership: ObjectWriter", "x-amz-bucket-object-lock-enabled: true"}, status: 200},
		{method: "GET", path: "/two?acl", status: 200, has: []string{"AllUsers"}},
		{method: "GET", path: "/two?versioning", status: 200, has: []string{"<Status>Enabled</Status>"}},
		{method: "GET", path: "/two?object-lock", status: 200, has: []string{"<ObjectLockEnabled>Enabled</ObjectLockEnabled>"}},
		{who: bob, method: "GET", path: "/two", status: 200},
		{who: bob, method: "GET", path: "/one", status: 403, code: "AccessDenied"},
		{method: "PUT", path: "/three", headers: []string{"x-amz-grant-read: id=" + bobID, "x-amz-object-ownership: BucketOwnerPreferred"}, status: 200},
		{who: bob, method: "GET", path: "/three", status: 200},
		{method: "PUT", path: "/four", body: `<CreateBucketConfiguration><LocationConstraint>mars-1</LocationConstraint></CreateBucketConfiguration>`, status: 400, code: "InvalidLocationConstraint"},
		{method: "PUT", path: "/four", body: `<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint><Tags><Tag><Key>a</Key><Value>b</Value></Tag></Tags></CreateBucketConfiguration>`, status: 200},
		{method: "GET", path: "/four?tagging", status: 200, has: []string{"<Key>a</Key><Value>b</Value>"}},
	})
}
