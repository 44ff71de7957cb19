package daemon_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"karri/walrus/daemon"
)

const letLogs = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject",
	"Resource":"arn:aws:s3:::logs/*","Condition":{"StringEquals":{"aws:SourceAccount":"111111111111"},"ArnLike":{"aws:SourceArn":"arn:aws:s3:::pond"}}}]}`

func TestRequestsAreLogged(t *testing.T) {
	c := newClock()
	w := working(t, c, daemon.Config{WorkFlags: daemon.WorkFlags{LogDelivery: 5 * time.Minute}})
	play(t, w, []ask{
		{method: "PUT", path: "/pond", status: 200},
		{method: "PUT", path: "/logs", status: 200},
		{method: "PUT", path: "/logs?policy", body: letLogs, status: 204},
	})
	set(t, w, "/pond?logging", "<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix>of-pond/</TargetPrefix></LoggingEnabled></BucketLoggingStatus>")
	play(t, w, []ask{
		{method: "PUT", path: "/pond/a%20b", body: "hello", headers: []string{"User-Agent: test \"client\""}, status: 200},
		{method: "GET", path: "/pond/a%20b?x-id=GetObject", status: 200},
		{method: "GET", path: "/pond/none", status: 404, code: "NoSuchKey"},
		{who: bob, method: "GET", path: "/pond/a%20b", status: 403, code: "AccessDenied"},
		{method: "GET", path: "/pond?versioning", status: 200},
		{method: "PUT", path: "/logs/mine", body: "x", status: 200},
	})
	if got := keys(t, w, "/logs?prefix=of-pond/"); len(got) != 0 {
		t.Errorf("delivered before its time: %v", got)
	}
	c.move(6 * time.Minute)
	var log string
	eventually(t, "the log is delivered", func() bool {
		names := keys(t, w, "/logs?prefix=of-pond/")
		if len(names) == 0 {
			return false
		}
		if !regexp.MustCompile(`^of-pond/2030-03-05-12-06-00-[0-9A-F]{16}$`).MatchString(names[0]) || len(names) != 1 {
			t.Fatalf("keys %q", names)
		}
		log = w.Do(t, ann, "GET", "/logs/"+names[0], "").Body
		return true
	})
	lines := strings.Split(strings.TrimSpace(log), "\n")
	want := []string{
		`^[0-9a-f]{64} pond \[05/Mar/2030:12:00:00 \+0000\] 127\.0\.0\.1 arn:\S+ \S+ REST\.PUT\.OBJECT a%2520b "PUT /pond/a%20b HTTP/1\.1" 200 - - 5 \d+ - "-" "test %22client%22" - [0-9a-f]{64} SigV4 - AuthHeader 127\.0\.0\.1:\d+ - - -$`,
		` REST\.GET\.OBJECT a%2520b "GET /pond/a%20b\?x-id=GetObject HTTP/1\.1" 200 - 5 5 `,
		` REST\.GET\.OBJECT none "GET /pond/none HTTP/1\.1" 404 NoSuchKey `,
		` REST\.GET\.OBJECT a%2520b "GET /pond/a%20b HTTP/1\.1" 403 AccessDenied `,
		` REST\.GET\.VERSIONING - "GET /pond\?versioning HTTP/1\.1" 200 - `,
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines:\n%s", len(lines), log)
	}
	for i, re := range want {
		if !regexp.MustCompile(re).MatchString(lines[i]) {
			t.Errorf("line %d\n%s\nis not\n%s", i, lines[i], re)
		}
	}
}

func TestLogsGoOnlyWhereTheyAreLetIn(t *testing.T) {
	c := newClock()
	w := working(t, c, daemon.Config{WorkFlags: daemon.WorkFlags{LogDelivery: time.Minute}})
	play(t, w, []ask{{method: "PUT", path: "/pond", status: 200}, {method: "PUT", path: "/logs", status: 200}})
	set(t, w, "/pond?logging", "<BucketLoggingStatus><LoggingEnabled><TargetBucket>logs</TargetBucket><TargetPrefix></TargetPrefix></LoggingEnabled></BucketLoggingStatus>")
	play(t, w, []ask{{method: "PUT", path: "/pond/k", body: "hello", status: 200}})
	c.move(2 * time.Minute)
	eventually(t, "the log is dropped", func() bool { return strings.Contains(w.Metrics(t), `walrus_logs_total{result="dropped"} 1`) })
	if got := keys(t, w, "/logs"); len(got) != 0 {
		t.Errorf("delivered: %v", got)
	}
}
