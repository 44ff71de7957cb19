package daemon_test

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"karri/shared/config"
	"karri/walrus/daemon"
	"karri/walrus/daemon/walrustest"
	"karri/walrus/setting"
)

// proof is the header by which a body proves itself.
func proof(body string) string {
	sum := md5.Sum([]byte(body))
	return "Content-MD5: " + base64.StdEncoding.EncodeToString(sum[:])
}

func startWithTargets(t *testing.T) *walrustest.Walrus {
	taker := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(taker.Close)
	return walrustest.Start(t, walrustest.StartCloud(t), daemon.Config{
		Domains: []string{"s3.test"}, Websites: []string{"web.s3.test"},
		Events:   []string{"arn:karri:sqs:us-east-1::queue=" + taker.URL, "arn:karri:sqs:us-east-1:222222222222:bobs=http://127.0.0.1:1/"},
		Replicas: []string{"arn:karri:s3:elsewhere::there=http://127.0.0.1:1#/dev/null"},
	})
}

const xmlns = ` xmlns="http://s3.amazonaws.com/doc/2006-03-01/"`

// settings are a good and a bad document of each, and what there is without.
var settings = []struct{ sub, good, bad, code, without string }{
	{"tagging", "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>", "<Tagging><TagSet><Tag><Key>aws:k</Key><Value>v</Value></Tag></TagSet></Tagging>", "InvalidTag", "NoSuchTagSet"},
	{"cors", "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>", "<CORSConfiguration><CORSRule><AllowedMethod>GETS</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>", "InvalidRequest", "NoSuchCORSConfiguration"},
	{"lifecycle", "<LifecycleConfiguration><Rule><ID>a</ID><Status>Enabled</Status><Prefix>a</Prefix><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>", "<LifecycleConfiguration/>", "MalformedXML", "NoSuchLifecycleConfiguration"},
	{"encryption", "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule></ServerSideEncryptionConfiguration>", "<ServerSideEncryptionConfiguration/>", "MalformedXML", "ServerSideEncryptionConfigurationNotFoundError"},
	{"website", "<WebsiteConfiguration><IndexDocument><Suffix>i</Suffix></IndexDocument></WebsiteConfiguration>", "<WebsiteConfiguration/>", "InvalidArgument", "NoSuchWebsiteConfiguration"},
	{"replication", "<ReplicationConfiguration><Role>r</Role><Rule><ID>a</ID><Prefix></Prefix><Status>Enabled</Status><Destination><Bucket>arn:karri:s3:elsewhere::there</Bucket></Destination></Rule></ReplicationConfiguration>",
		"<ReplicationConfiguration><Role>r</Role><Rule><Status>Enabled</Status><Prefix/><Destination><Bucket>arn:karri:s3:elsewhere::nowhere</Bucket></Destination></Rule></ReplicationConfiguration>", "InvalidRequest", "ReplicationConfigurationNotFoundError"},
	{"notification", "<NotificationConfiguration><QueueConfiguration><Id>a</Id><Queue>arn:karri:sqs:us-east-1::queue</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>",
		"<NotificationConfiguration><QueueConfiguration><Queue>arn:karri:sqs:us-east-1:222222222222:bobs</Queue><Event>s3:ObjectCreated:*</Event></QueueConfiguration></NotificationConfiguration>", "InvalidArgument", ""},
	{"logging", "<BucketLoggingStatus><LoggingEnabled><TargetBucket>pond</TargetBucket><TargetPrefix>log/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>",
		"<BucketLoggingStatus><LoggingEnabled><TargetBucket>bobs</TargetBucket><TargetPrefix>log/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>", "InvalidTargetBucketForLogging", ""},
	{"requestPayment", "<RequestPaymentConfiguration><Payer>BucketOwner</Payer></RequestPaymentConfiguration>", "<RequestPaymentConfiguration><Payer>Requester</Payer></RequestPaymentConfiguration>", "NotImplemented", ""},
	{"inventory&id=list", strings.Replace(listing, "ID", "list", 1), strings.Replace(listing, "ID", "other", 1), "IdMismatch", "NoSuchConfiguration"},
}

const listing = "<InventoryConfiguration><Destination><S3BucketDestination><Bucket>arn:aws:s3:::pond</Bucket><Format>CSV</Format></S3BucketDestination></Destination><IsEnabled>true</IsEnabled><Id>ID</Id><IncludedObjectVersions>Current</IncludedObjectVersions><Schedule><Frequency>Daily</Frequency></Schedule></InventoryConfiguration>"

func TestSettings(t *testing.T) {
	w := startWithTargets(t)
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200}, {who: bob, method: "PUT", path: "/bobs", status: 200},
		{method: "PUT", path: "/pond?versioning", body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", status: 200},
	})
	for _, s := range settings {
		path := "/pond?" + s.sub
		before, after := 404, 204
		if s.without == "" {
			before = 200
		}
		put := 200
		if s.sub == "tagging" {
			put = 204
		}
		root, _, _ := strings.Cut(s.good[1:], ">")
		there := "<" + root + xmlns + ">" + s.good[len(root)+2:]
		play(t, w, []ask{
			{method: "GET", path: path, status: before, code: s.without},
			{who: bob, method: "GET", path: path, status: 403, code: "AccessDenied"},
			{who: bob, method: "PUT", path: path, body: s.good, headers: []string{proof(s.good)}, status: 403, code: "AccessDenied"},
			{who: bob, method: "DELETE", path: path, status: map[bool]int{true: 403, false: 501}[s.without != ""], code: map[bool]string{true: "AccessDenied", false: "NotImplemented"}[s.without != ""]},
			{method: "PUT", path: path, body: s.bad, headers: []string{proof(s.bad)}, status: map[bool]int{true: 501, false: 400}[s.code == "NotImplemented"], code: s.code},
			{method: "PUT", path: path, body: "<x/>", headers: []string{proof("<x/>")}, status: 400, code: "MalformedXML"},
			{method: "PUT", path: path, body: s.good, headers: []string{proof("other")}, status: 400, code: "BadDigest"},
			{method: "GET", path: path, status: before, code: s.without},
			{method: "PUT", path: path, body: s.good, headers: []string{proof(s.good)}, status: put},
			{method: "GET", path: path, status: 200, has: []string{there, "Content-Type: application/xml"}},
		})
		if s.without != "" {
			play(t, w, []ask{
				{method: "DELETE", path: path, status: after},
				{method: "GET", path: path, status: before, code: s.without},
			})
		}
	}
	for _, sub := range []string{"tagging", "cors", "lifecycle", "replication", "object-lock"} {
		play(t, w, []ask{{method: "PUT", path: "/pond?" + sub, body: "<x/>", status: 400, code: "InvalidRequest"}})
	}
}

func TestVersioningAndLock(t *testing.T) {
	on, off := "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>", "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>"
	lock := "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>"
	replicate := settings[5].good
	play(t, startWithTargets(t), []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "GET", path: "/pond?versioning", status: 200, has: []string{"<VersioningConfiguration" + xmlns + "></VersioningConfiguration>"}},
		{method: "PUT", path: "/pond?object-lock", body: lock, headers: []string{proof(lock)}, status: 409, code: "InvalidBucketState"},
		{method: "PUT", path: "/pond?replication", body: replicate, headers: []string{proof(replicate)}, status: 400, code: "InvalidRequest"},
		{method: "PUT", path: "/pond?versioning", body: "<VersioningConfiguration><Status>On</Status></VersioningConfiguration>", status: 400, code: "MalformedXML"},
		{method: "PUT", path: "/pond?versioning", body: strings.Replace(on, "</V", "<MfaDelete>Enabled</MfaDelete></V", 1), status: 501, code: "NotImplemented"},
		{method: "PUT", path: "/pond?versioning", body: off, status: 200},
		{method: "GET", path: "/pond?versioning", status: 200, has: []string{"<Status>Suspended</Status>"}},
		{method: "PUT", path: "/pond?versioning", body: on, status: 200},
		{method: "GET", path: "/pond?versioning", status: 200, has: []string{"<Status>Enabled</Status>"}},
		{method: "PUT", path: "/pond?replication", body: replicate, headers: []string{proof(replicate)}, status: 200},
		{method: "PUT", path: "/pond?versioning", body: off, status: 409, code: "InvalidBucketState"},
		{method: "DELETE", path: "/pond?replication", status: 204},
		{method: "GET", path: "/pond?object-lock", status: 404, code: "ObjectLockConfigurationNotFoundError"},
		{method: "PUT", path: "/pond?object-lock", body: lock, headers: []string{proof(lock)}, status: 200},
		{method: "GET", path: "/pond?object-lock", status: 200, has: []string{"<Mode>GOVERNANCE</Mode><Days>1</Days>"}},
		{method: "PUT", path: "/pond?versioning", body: off, status: 409, code: "InvalidBucketState"},
		{method: "GET", path: "/pond?accelerate", status: 200, has: []string{"<AccelerateConfiguration" + xmlns + "></AccelerateConfiguration>"}},
		{method: "PUT", path: "/pond?accelerate", body: "<x/>", status: 501, code: "NotImplemented"},
		{method: "PUT", path: "/pond?logging", body: "<BucketLoggingStatus/>", status: 200},
	})
}

func TestLifecycleIsShown(t *testing.T) {
	rules := "<LifecycleConfiguration><Rule><ID>a rule</ID><Status>Enabled</Status><Filter><Prefix>old/</Prefix></Filter><Expiration><Date>2040-01-02</Date></Expiration><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule></LifecycleConfiguration>"
	shown := `X-Amz-Expiration: expiry-date="Mon, 02 Jan 2040 00:00:00 GMT", rule-id="a+rule"`
	play(t, startWithTargets(t), []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond?lifecycle", body: rules, headers: []string{proof(rules), "x-amz-transition-default-minimum-object-size: varies_by_storage_class"}, status: 501, code: "NotImplemented"},
		{method: "PUT", path: "/pond?lifecycle", body: rules, headers: []string{proof(rules), "x-amz-transition-default-minimum-object-size: all_storage_classes_128K"}, status: 200, has: []string{"X-Amz-Transition-Default-Minimum-Object-Size: all_storage_classes_128K"}},
		{method: "PUT", path: "/pond/old/a", body: "x", status: 200, has: []string{shown}},
		{method: "PUT", path: "/pond/new/a", body: "x", status: 200, has: []string{"X-Amz-Expiration: "}},
		{method: "HEAD", path: "/pond/old/a", status: 200, has: []string{shown}},
		{method: "PUT", path: "/pond/old/b", headers: []string{"x-amz-copy-source: /pond/new/a"}, status: 200, has: []string{shown}},
		{method: "PUT", path: "/pond/new/b", headers: []string{"x-amz-copy-source: /pond/old/a"}, status: 200, has: []string{"X-Amz-Expiration: "}},
		{method: "POST", path: "/pond/old/c?uploads", status: 200, has: []string{"X-Amz-Abort-Rule-Id: a+rule"}},
		{method: "POST", path: "/pond/new/c?uploads", status: 200, has: []string{"X-Amz-Abort-Rule-Id: "}},
	})
}

func TestDocumentsThatAreNone(t *testing.T) {
	long := strings.Repeat(" ", 65<<10) + settings[1].good
	play(t, startWithTargets(t), []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/pond?cors", headers: []string{proof("")}, status: 400, code: "MissingRequestBodyError"},
		{method: "PUT", path: "/pond?cors", body: long, headers: []string{proof(long)}, status: 400, code: "MaxMessageLengthExceeded"},
	})
}

func TestInventories(t *testing.T) {
	w := startWithTargets(t)
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}, {method: "GET", path: "/pond?inventory", status: 200, has: []string{"<IsTruncated>false</IsTruncated>"}}})
	for i := range 102 {
		id := fmt.Sprintf("list-%03d", i)
		play(t, w, []ask{{method: "PUT", path: "/pond?inventory&id=" + id, body: strings.Replace(listing, "ID", id, 1), status: 200}})
	}
	foreign := strings.Replace(strings.Replace(listing, "ID", "x", 1), "pond", "none", 1)
	play(t, w, []ask{
		{method: "GET", path: "/pond?inventory", status: 200, has: []string{"<IsTruncated>true</IsTruncated>", "<NextContinuationToken>list-099</NextContinuationToken>", "<Id>list-000</Id>"}},
		{method: "GET", path: "/pond?inventory&continuation-token=list-099", status: 200, has: []string{"<IsTruncated>false</IsTruncated>", "<Id>list-101</Id>"}},
		{method: "PUT", path: "/pond?inventory&id=x", body: foreign, status: 400, code: "InvalidS3DestinationBucket"},
		{method: "DELETE", path: "/pond?inventory&id=none", status: 404, code: "NoSuchConfiguration"},
	})
}

func TestCORS(t *testing.T) {
	w := startWithTargets(t)
	rules := "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedMethod>PUT</AllowedMethod><AllowedOrigin>http://*.a</AllowedOrigin><AllowedHeader>x-*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>60</MaxAgeSeconds></CORSRule><CORSRule><AllowedMethod>HEAD</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule></CORSConfiguration>"
	ask3 := func(headers ...string) walrustest.Answer {
		return w.Send(t, w.Request(t, "OPTIONS", "/pond/k", "", headers...))
	}
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}})
	if a := ask3("Origin: http://x.a", "Access-Control-Request-Method: GET"); a.Status != 403 || a.Code() != "AccessForbidden" || a.Element("ResourceType") != "OBJECT" || a.Element("Method") != "GET" {
		t.Errorf("%+v", a)
	}
	play(t, w, []ask{{method: "PUT", path: "/pond?cors", body: rules, headers: []string{proof(rules)}, status: 200}})
	for _, c := range []struct {
		headers []string
		status  int
		code    string
	}{
		{[]string{"Access-Control-Request-Method: GET"}, 400, "BadRequest"},
		{[]string{"Origin: http://x.a"}, 400, "BadRequest"},
		{[]string{"Origin: http://x.a", "Access-Control-Request-Method: PATCH"}, 400, "BadRequest"},
		{[]string{"Origin: http://x.b", "Access-Control-Request-Method: GET"}, 403, "AccessForbidden"},
		{[]string{"Origin: http://x.a", "Access-Control-Request-Method: DELETE"}, 403, "AccessForbidden"},
		{[]string{"Origin: http://x.a", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: range"}, 403, "AccessForbidden"},
		{[]string{"Origin: http://x.a", "Access-Control-Request-Method: GET", "Access-Control-Request-Headers: x-a" + strings.Repeat(",x-a", 100)}, 403, "AccessForbidden"},
		{[]string{"Origin: http://x.b", "Access-Control-Request-Method: HEAD"}, 200, ""},
	} {
		if a := ask3(c.headers...); a.Status != c.status || a.Code() != c.code {
			t.Errorf("%v: %+v", c.headers, a)
		}
	}
	a := ask3("Origin: http://x.a", "Access-Control-Request-Method: PUT", "Access-Control-Request-Headers: X-One, x-two")
	for name, want := range map[string]string{"Access-Control-Allow-Origin": "http://x.a", "Access-Control-Allow-Methods": "GET, PUT", "Access-Control-Allow-Headers": "x-one, x-two",
		"Access-Control-Expose-Headers": "ETag", "Access-Control-Max-Age": "60", "Access-Control-Allow-Credentials": "true", "Vary": "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"} {
		if a.Status != 200 || a.Header.Get(name) != want {
			t.Errorf("%s: %d %q", name, a.Status, a.Header.Get(name))
		}
	}
	play(t, w, []ask{
		{method: "GET", path: "/pond/k", headers: []string{"Origin: http://x.a"}, status: 404, code: "NoSuchKey", has: []string{"Access-Control-Allow-Origin: http://x.a", "Access-Control-Expose-Headers: ETag"}},
		{method: "PUT", path: "/pond/k", body: "x", headers: []string{"Origin: http://x.a"}, status: 200, has: []string{"Access-Control-Allow-Origin: http://x.a"}},
		{method: "GET", path: "/pond/k", headers: []string{"Origin: http://x.b"}, status: 200, has: []string{"Access-Control-Allow-Origin: "}},
		{method: "HEAD", path: "/pond/k", headers: []string{"Origin: http://x.b"}, status: 200, has: []string{"Access-Control-Allow-Origin: *", "Access-Control-Allow-Credentials: "}},
	})
	if a := w.Send(t, w.Request(t, "OPTIONS", "/none/k", "", "Origin: http://x.a", "Access-Control-Request-Method: GET")); a.Status != 403 || a.Code() != "AccessForbidden" {
		t.Errorf("%+v", a)
	}
	if a := w.Send(t, w.Request(t, "GET", "/pond/k", "", "Origin: http://x.a")); a.Status != 403 || a.Header.Get("Access-Control-Allow-Origin") != "http://x.a" {
		t.Errorf("an error cannot be seen: %+v", a)
	}
}

func TestTargetsAreFlags(t *testing.T) {
	var c daemon.Config
	_, err := config.Load(c.Spec().Program, []string{"--state", "/x", "--event-target", "arn:karri:sqs:us-east-1::a=http://a/?x=y", "--event-target", "arn:karri:sns:us-east-1::b=http://b",
		"--replication-target", "arn:karri:s3:elsewhere::there=https://there#/etc/key"}, &c)
	if err != nil {
		t.Fatal(err)
	}
	events, err := setting.ParseEventTargets(c.Events)
	if err != nil || len(events) != 2 || events["arn:karri:sqs:us-east-1::a"].URL != "http://a/?x=y" {
		t.Error(events, err)
	}
	replicas, err := setting.ParseReplicationTargets(c.Replicas)
	if want := (setting.ReplicationTarget{Endpoint: "https://there", Credentials: "/etc/key", Region: "elsewhere", Bucket: "there"}); err != nil || replicas["arn:karri:s3:elsewhere::there"] != want {
		t.Error(replicas, err)
	}
}
