package setting

import (
	"strings"
	"testing"
	"time"
)

// must reads a sample that is good.
func must[T any, P Document[T]](t *testing.T, root, in string) *T {
	t.Helper()
	v, err := Parse[T, P]([]byte(sample{root, in, ""}.doc()))
	if err != nil {
		t.Fatalf("%s: %v", in, err)
	}
	return v
}

func at(s string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestCORS(t *testing.T) {
	c := must[CORS](t, "CORSConfiguration", `
		<CORSRule><ID>one</ID><AllowedMethod>PUT</AllowedMethod><AllowedOrigin>https://*.example.com</AllowedOrigin><AllowedHeader>x-amz-*</AllowedHeader><AllowedHeader>Content-Type</AllowedHeader></CORSRule>
		<CORSRule><ID>two</ID><AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://a.example.com</AllowedOrigin><AllowedOrigin>*</AllowedOrigin></CORSRule>`)
	for _, x := range []struct {
		origin, method, headers, rule string
		any                           bool
	}{
		{"https://a.example.com", "PUT", "", "one", false},
		{"https://a.example.com", "PUT", "X-Amz-Date,content-type", "one", false},
		{"https://a.example.com", "PUT", "X-Amz-Date,range", "", false},
		{"https://a.example.com", "PUT", "X-Am,x-amz", "", false},
		{"https://A.example.com", "PUT", "", "one", false},
		{"https://a.Example.com", "PUT", "", "", false},
		{"https://example.com", "PUT", "", "", false},
		{"https://.example.com", "PUT", "", "one", false},
		{"http://a.example.com", "PUT", "", "", false},
		{"https://a.example.com", "GET", "", "two", false},
		{"https://b.example.com", "GET", "", "two", true},
		{"https://b.example.com", "GET", "range", "", false},
		{"https://b.example.com", "DELETE", "", "", false},
	} {
		var headers []string
		if x.headers != "" {
			headers = strings.Split(x.headers, ",")
		}
		r, any := c.Match(x.origin, x.method, headers)
		if got := r; (got == nil) != (x.rule == "") || got != nil && (got.ID != x.rule || any != x.any) {
			t.Errorf("%+v: %+v %v", x, r, any)
		}
	}
	if r, _ := (*CORS)(nil).Match("x", "GET", nil); r != nil {
		t.Error("no rules allow something")
	}
}

func TestDue(t *testing.T) {
	l := must[Lifecycle](t, "LifecycleConfiguration", `
		<Rule><ID>off</ID><Status>Disabled</Status><Filter/><Expiration><Days>1</Days></Expiration></Rule>
		<Rule><ID>logs</ID><Status>Enabled</Status><Filter><And><Prefix>logs/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><ObjectSizeGreaterThan>10</ObjectSizeGreaterThan><ObjectSizeLessThan>20</ObjectSizeLessThan></And></Filter><Expiration><Days>3</Days></Expiration></Rule>
		<Rule><ID>old</ID><Status>Enabled</Status><Prefix>old/</Prefix><Expiration><Date>2030-01-01</Date></Expiration></Rule>
		<Rule><ID>versions</ID><Status>Enabled</Status><Filter><Prefix>v/</Prefix></Filter><NoncurrentVersionExpiration><NoncurrentDays>2</NoncurrentDays><NewerNoncurrentVersions>2</NewerNoncurrentVersions></NoncurrentVersionExpiration><Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration></Rule>
		<Rule><ID>parts</ID><Status>Enabled</Status><Filter><Prefix>p/</Prefix></Filter><AbortIncompleteMultipartUpload><DaysAfterInitiation>1</DaysAfterInitiation></AbortIncompleteMultipartUpload><Expiration><Days>1</Days></Expiration></Rule>`)
	kv := []Tag{{Key: "k", Value: "v"}}
	made := at("2024-01-15 10:30:00")
	for what, x := range map[string]struct {
		f    Facts
		now  string
		due  Due
		rule string
	}{
		"a rule that is off":             {Facts{Key: "x", Modified: made}, "2034-01-01 00:00:00", Nothing, ""},
		"the third day is rounded up":    {Facts{Key: "logs/a", Size: 11, Tags: kv, Modified: made}, "2024-01-18 23:59:59", Nothing, ""},
		"to the next midnight":           {Facts{Key: "logs/a", Size: 11, Tags: kv, Modified: made}, "2024-01-19 00:00:00", Expire, "logs"},
		"other tags":                     {Facts{Key: "logs/a", Size: 11, Tags: []Tag{{Key: "k", Value: "w"}}, Modified: made}, "2025-01-19 00:00:00", Nothing, ""},
		"too small":                      {Facts{Key: "logs/a", Size: 10, Tags: kv, Modified: made}, "2025-01-19 00:00:00", Nothing, ""},
		"too large":                      {Facts{Key: "logs/a", Size: 20, Tags: kv, Modified: made}, "2025-01-19 00:00:00", Nothing, ""},
		"other prefix":                   {Facts{Key: "log/a", Size: 11, Tags: kv, Modified: made}, "2025-01-19 00:00:00", Nothing, ""},
		"before the date":                {Facts{Key: "old/a", Modified: made}, "2029-12-31 23:59:59", Nothing, ""},
		"on the date":                    {Facts{Key: "old/a", Modified: made}, "2030-01-01 00:00:00", Expire, "old"},
		"a current version":              {Facts{Key: "v/a", Modified: made}, "2030-01-01 00:00:00", Nothing, ""},
		"noncurrent, young":              {Facts{Key: "v/a", Noncurrent: true, Since: made, Newer: 5}, "2024-01-17 23:00:00", Nothing, ""},
		"noncurrent, old":                {Facts{Key: "v/a", Noncurrent: true, Since: made, Newer: 2}, "2024-01-18 00:00:00", Remove, "versions"},
		"noncurrent, of those to keep":   {Facts{Key: "v/a", Noncurrent: true, Since: made, Newer: 1}, "2034-01-18 00:00:00", Nothing, ""},
		"a marker over versions":         {Facts{Key: "v/a", Marker: true}, "2034-01-18 00:00:00", Nothing, ""},
		"a marker alone":                 {Facts{Key: "v/a", Marker: true, Alone: true}, "2034-01-18 00:00:00", Remove, "versions"},
		"a marker alone, by days":        {Facts{Key: "p/a", Marker: true, Alone: true, Modified: made}, "2024-01-17 00:00:00", Remove, "parts"},
		"a marker alone, younger":        {Facts{Key: "p/a", Marker: true, Alone: true, Modified: made}, "2024-01-16 23:00:00", Nothing, ""},
		"made at midnight":               {Facts{Key: "p/a", Modified: at("2024-01-15 00:00:00")}, "2024-01-16 00:00:00", Expire, "parts"},
		"noncurrent without such a rule": {Facts{Key: "p/a", Modified: made, Noncurrent: true, Since: made}, "2034-01-16 00:00:00", Nothing, ""},
	} {
		if due, rule := l.Due(x.f, at(x.now)); due != x.due || rule != x.rule {
			t.Errorf("%s: %v by %q", what, due, rule)
		}
	}
	if l.UploadDue("p/a", made, at("2024-01-16 23:59:59")) || !l.UploadDue("p/a", made, at("2024-01-17 00:00:00")) || l.UploadDue("q/a", made, at("2034-01-17 00:00:00")) {
		t.Error("uploads")
	}
	if when, by, ok := l.Expires(Facts{Key: "logs/a", Size: 11, Tags: kv, Modified: made}); !ok || by != "logs" || !when.Equal(at("2024-01-19 00:00:00")) {
		t.Error(when, by, ok)
	}
	if when, by, ok := l.Aborts("p/a", made); !ok || by != "parts" || !when.Equal(at("2024-01-17 00:00:00")) {
		t.Error(when, by, ok)
	}
	if due, _ := (*Lifecycle)(nil).Due(Facts{}, made); due != Nothing || (*Lifecycle)(nil).UploadDue("", made, made) {
		t.Error("no lifecycle ends something")
	}
}

func TestRetention(t *testing.T) {
	days := must[Lock](t, "ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>2</Days></DefaultRetention></Rule>")
	if mode, until, ok := days.Retention(at("2024-02-28 10:00:00")); !ok || mode != Governance || !until.Equal(at("2024-03-01 10:00:00")) {
		t.Error(mode, until, ok)
	}
	years := must[Lock](t, "ObjectLockConfiguration", "<ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention><Mode>COMPLIANCE</Mode><Years>1</Years></DefaultRetention></Rule>")
	if mode, until, ok := years.Retention(at("2024-03-01 10:00:00")); !ok || mode != Compliance || !until.Equal(at("2025-03-01 10:00:00")) {
		t.Error(mode, until, ok)
	}
	if _, _, ok := (*Lock)(nil).Retention(time.Time{}); ok {
		t.Error("no lock retains")
	}
}

func TestSubscribers(t *testing.T) {
	n := must[Notification](t, "NotificationConfiguration", queue(sqs, created, keyFilter("img/", ".jpg"))+queue("arn:karri:sqs:us-east-1:111111111111:r", "s3:ObjectRemoved:Delete", ""))
	for _, x := range []struct {
		event, key string
		told       string
	}{
		{"s3:ObjectCreated:Put", "img/a.jpg", sqs}, {"s3:ObjectCreated:Put", "img/a.png", ""}, {"s3:ObjectCreated:Put", "a.jpg", ""},
		{"s3:ObjectRemoved:Delete", "any", "arn:karri:sqs:us-east-1:111111111111:r"}, {"s3:ObjectRemoved:DeleteMarkerCreated", "any", ""},
	} {
		told := ""
		for _, s := range n.For(x.event, x.key) {
			told += s.ARN()
		}
		if told != x.told {
			t.Errorf("%+v: %s", x, told)
		}
	}
	twice := must[Notification](t, "NotificationConfiguration", "<QueueConfiguration><Queue>"+sqs+"</Queue><Event>"+created+"</Event><Event>"+created+"</Event></QueueConfiguration>")
	if len(twice.Queues[0].Events) != 1 {
		t.Error(twice.Queues[0].Events)
	}
	targets, err := ParseEventTargets([]string{sqs + "=http://a/b?c=d", "arn:karri:sqs:us-east-1:111111111111:r=https://e"})
	if err != nil || targets[sqs].URL != "http://a/b?c=d" {
		t.Fatal(targets, err)
	}
	if err := n.Check(targets, "111111111111"); err != nil {
		t.Error(err)
	}
	if n.Check(targets, "222222222222") == nil {
		t.Error("another account's target")
	}
	if n.Check(EventTargets{}, "111111111111") == nil {
		t.Error("a target that nobody named")
	}
	for _, bad := range []string{"", "x", sqs, sqs + "=", sqs + "=ftp://a", "arn:karri:s3:::b=http://a", sqs + "=http://"} {
		if _, err := ParseEventTargets([]string{bad}); err == nil {
			t.Errorf("%q is a target", bad)
		}
	}
}

func TestReplicas(t *testing.T) {
	targets, err := ParseReplicationTargets([]string{"arn:karri:s3:elsewhere::there=https://s3.elsewhere#/etc/key", "arn:karri:s3:south:111111111111:*=http://s#/k"})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ arn, account, bucket string }{
		{"arn:karri:s3:elsewhere::there", "222222222222", "there"},
		{"arn:karri:s3:elsewhere::other", "222222222222", ""},
		{"arn:karri:s3:south:111111111111:any", "111111111111", "any"},
		{"arn:karri:s3:south:111111111111:any", "222222222222", ""},
		{"arn:karri:s3:south:111111111111:*", "111111111111", ""},
		{"arn:karri:s3:south:111111111111:a/../b", "111111111111", ""},
		{"arn:aws:s3:::there", "111111111111", ""},
		{"there", "111111111111", ""},
	} {
		if to, ok := targets.Of(x.arn, x.account); ok != (x.bucket != "") || ok && to.Bucket != x.bucket {
			t.Errorf("%+v: %+v %v", x, to, ok)
		}
	}
	for _, bad := range []string{"", "arn:karri:s3:elsewhere::there=https://s3.elsewhere", "arn:karri:s3:::there=https://a#/k", "arn:karri:s3:e::*=https://a#/k", "arn:karri:s3:e::b=a#/k"} {
		if _, err := ParseReplicationTargets([]string{bad}); err == nil {
			t.Errorf("%q is a target", bad)
		}
	}
	r := must[Replication](t, "ReplicationConfiguration", `<Role>r</Role>
		<Rule><ID>low</ID><Status>Enabled</Status><Priority>1</Priority><Filter/><DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>`+there+`</Rule>
		<Rule><ID>high</ID><Status>Enabled</Status><Priority>2</Priority><Filter><Prefix>a/</Prefix></Filter><DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>`+there+`</Rule>
		<Rule><ID>off</ID><Status>Disabled</Status><Priority>3</Priority><Filter/><DeleteMarkerReplication><Status>Enabled</Status></DeleteMarkerReplication>`+there+`</Rule>`)
	for _, x := range []struct {
		key    string
		marker bool
		rules  string
	}{{"b", false, "low"}, {"b", true, "low"}, {"a/b", false, "high"}, {"a/b", true, ""}} {
		rules := ""
		for _, rule := range r.For(x.key, nil, x.marker) {
			rules += rule.ID
		}
		if rules != x.rules {
			t.Errorf("%+v: %s", x, rules)
		}
	}
	if r.Check(targets, "1") != nil || r.Check(nil, "1") == nil {
		t.Error("destinations")
	}
}

func TestLogKeys(t *testing.T) {
	event, now := at("2024-01-15 23:59:00"), at("2024-01-16 00:05:06")
	for in, want := range map[string]string{
		"": "p/2024-01-16-00-05-06-u",
		"<TargetObjectKeyFormat><SimplePrefix/></TargetObjectKeyFormat>":                                                                             "p/2024-01-16-00-05-06-u",
		"<TargetObjectKeyFormat><PartitionedPrefix/></TargetObjectKeyFormat>":                                                                        "p/1/r/b/2024/01/16/2024-01-16-00-05-06-u",
		"<TargetObjectKeyFormat><PartitionedPrefix><PartitionDateSource>EventTime</PartitionDateSource></PartitionedPrefix></TargetObjectKeyFormat>": "p/1/r/b/2024/01/15/2024-01-15-00-00-00-u",
	} {
		l := must[Logging](t, "BucketLoggingStatus", "<LoggingEnabled><TargetBucket>t</TargetBucket><TargetPrefix>p/</TargetPrefix>"+in+"</LoggingEnabled>")
		if got := l.Enabled.Key("1", "r", "b", event, now, "u"); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func TestInventoryDue(t *testing.T) {
	daily := must[Inventory](t, "InventoryConfiguration", inventory("arn:aws:s3:::lists", "CSV", ""))
	weekly := *daily
	weekly.Schedule.Frequency = "Weekly"
	off := *daily
	off.Enabled = false
	for _, x := range []struct {
		v         *Inventory
		last, now string
		due       bool
	}{
		{daily, "2024-01-15 23:00:00", "2024-01-16 00:00:00", true}, {daily, "2024-01-16 00:00:00", "2024-01-16 23:59:00", false},
		{&weekly, "2024-01-15 10:00:00", "2024-01-20 23:00:00", false}, {&weekly, "2024-01-15 10:00:00", "2024-01-21 00:00:00", true},
		{&off, "2000-01-01 00:00:00", "2024-01-21 00:00:00", false},
	} {
		if x.v.Due(at(x.last), at(x.now)) != x.due {
			t.Errorf("%+v", x)
		}
	}
	if !weekly.Due(time.Time{}, at("2024-01-17 00:00:00")) || daily.Target() != "lists" {
		t.Error("the first")
	}
}

func TestRouting(t *testing.T) {
	for _, x := range []struct {
		condition, redirect, key string
		status                   int
		location                 string
		code                     int
	}{
		{"<KeyPrefixEquals>docs/</KeyPrefixEquals>", "<ReplaceKeyPrefixWith>documents/</ReplaceKeyPrefixWith>", "docs/a b", 0, "http://h/documents/a%20b", 301},
		{"<KeyPrefixEquals>docs/</KeyPrefixEquals>", "<ReplaceKeyPrefixWith>documents/</ReplaceKeyPrefixWith>", "other", 0, "", 0},
		{"<HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals>", "<HostName>e.com</HostName><HttpRedirectCode>302</HttpRedirectCode>", "k", 404, "http://e.com/k", 302},
		{"<HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals>", "<HostName>e.com</HostName>", "k", 0, "", 0},
		{"<HttpErrorCodeReturnedEquals>404</HttpErrorCodeReturnedEquals>", "<HostName>e.com</HostName>", "k", 403, "", 0},
		{"", "<Protocol>https</Protocol><ReplaceKeyWith>all&#10;x</ReplaceKeyWith>", "k", 0, "https://h/all%0Ax", 301},
	} {
		if x.condition != "" {
			x.condition = "<Condition>" + x.condition + "</Condition>"
		}
		w := must[Website](t, "WebsiteConfiguration", routing(x.condition, x.redirect))
		location, code, ok := w.Route("http", "h", x.key, x.status)
		if location != x.location || code != x.code || ok != (x.code != 0) {
			t.Errorf("%+v: %s %d", x, location, code)
		}
	}
	all := must[Website](t, "WebsiteConfiguration", "<RedirectAllRequestsTo><HostName>e.com</HostName></RedirectAllRequestsTo>")
	if got := all.RedirectAll.To("https", "a/b"); got != "https://e.com/a/b" {
		t.Error(got)
	}
}

func TestTagQuery(t *testing.T) {
	for header, want := range map[string]string{
		"": "", "a=1": "a=1;", "a=1&b=x%20y&c": "a=1;b=x y;c=;", "a+b=c%2Bd": "a b=c+d;",
		"a=1&a=2": "InvalidArgument", "%zz=1": "InvalidArgument", "%ff=1": "InvalidArgument", "=1": "InvalidTag", "aws:a=1": "InvalidTag",
		"a=1&b=1&c=1&d=1&e=1&f=1&g=1&h=1&i=1&j=1&k=1": "BadRequest",
	} {
		got := ""
		list, err := ParseTagQuery(header)
		for _, tag := range list {
			got += tag.Key + "=" + tag.Value + ";"
		}
		if err != nil {
			got, _, _ = strings.Cut(err.Error(), ":")
		}
		if got != want {
			t.Errorf("%q: %s", header, got)
		}
	}
}

func FuzzTagQuery(f *testing.F) {
	for _, s := range []string{"a=1&b=2", "%zz", "a=1&a=1", "&&=", "a=%ff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := ParseTagQuery(s)
		if err == nil && (len(list) > maxObjectTags || checkTags(list) != nil) {
			t.Errorf("%q: %v", s, list)
		}
	})
}

func FuzzTargets(f *testing.F) {
	f.Add(sqs+"=http://a", "arn:karri:s3:e::b=http://a#/k", "1")
	f.Fuzz(func(t *testing.T, event, replica, account string) {
		if e, err := ParseEventTargets([]string{event}); err == nil {
			for name := range e {
				_, _ = e.Target(name, account)
			}
		}
		if r, err := ParseReplicationTargets([]string{replica}); err == nil {
			for name := range r {
				if to, ok := r.Of(name, account); ok && to.Bucket == "*" {
					t.Errorf("%q", replica)
				}
			}
		}
	})
}
