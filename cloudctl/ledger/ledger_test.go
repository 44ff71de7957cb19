package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/store"
	"karri/shared/audit"
)

// own is a log in this process.
type own struct{ *audit.Log }

func (o own) After(_ context.Context, at audit.Head) (audit.Part, error) { return o.Log.After(at) }

func (o own) Verify(_ context.Context, at audit.Head) (audit.Report, error) { return o.Log.Verify(at) }

type world struct {
	*Ledger
	t    *testing.T
	dir  string
	log  *audit.Log
	step int
}

func open(t *testing.T) *world {
	t.Helper()
	x, err := store.OpenIndex(t.Context(), filepath.Join(t.TempDir(), "audit.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	w := &world{t: t, dir: t.TempDir()}
	w.Ledger = (&Ledger{Index: x, Clock: time.Now, Log: slog.New(slog.DiscardHandler), Sources: func() map[string]Source { return map[string]Source{"walrus.karri": own{w.log}} }}).Open()
	w.openLog()
	t.Cleanup(func() { _ = w.log.Close() })
	return w
}

func (w *world) openLog() {
	w.t.Helper()
	l, err := audit.Open(w.dir, audit.Options{Daemon: "walrus.karri"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.log = l
}

func (w *world) note(n int) {
	w.t.Helper()
	for range n {
		w.step++
		w.log.Note(&audit.Line{Time: time.Now(), Service: "s3", Action: fmt.Sprint("Do", w.step), Kind: "user", Account: "111122223333", Name: "ann",
			ARN: "arn:aws:iam::111122223333:user/ann", On: []string{"arn:aws:s3:::pond", "arn:aws:s3:::pond/fish"}, RequestID: fmt.Sprint("r", w.step)})
	}
	if err := w.log.Flush(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) take() {
	w.t.Helper()
	if err := w.Take(w.t.Context(), "walrus.karri", own{w.log}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) count(s store.Search) int {
	w.t.Helper()
	rows, err := w.Index.Find(w.t.Context(), s)
	if err != nil {
		w.t.Fatal(err)
	}
	return len(rows)
}

// wrong returns what is wrong with the logs.
func (w *world) wrong() string {
	w.t.Helper()
	all, err := w.Verify(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	var text []string
	for _, f := range all {
		text = append(append(text, f.Wrong...), f.Failed)
	}
	return strings.TrimSpace(strings.Join(text, "; "))
}

func TestLinesAreTakenOverOnce(t *testing.T) {
	w := open(t)
	w.note(5)
	w.take()
	w.take()
	w.note(3)
	// A crash after the lines and before the head repeats them: both are one
	// transaction, and a line that is there stays.
	p, err := w.log.After(audit.Head{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.add(t.Context(), store.AuditHead{Log: p.Log, Daemon: "walrus.karri"}, p); err != nil {
		t.Fatal(err)
	}
	w.take()
	if n := w.count(store.Search{Account: "111122223333"}); n != 8 {
		t.Errorf("%d lines", n)
	}
	for _, s := range []store.Search{{Resource: "pond"}, {Resource: "arn:aws:s3:::pond/fish"}, {Name: "ann"}, {Source: "s3.amazonaws.com"}, {Kind: "AWS::S3::Bucket"}} {
		if n := w.count(s); n != 8 {
			t.Errorf("%+v: %d lines", s, n)
		}
	}
	if n := w.count(store.Search{Action: "Do3"}); n != 1 {
		t.Errorf("%d lines of one action", n)
	}
	if n := w.count(store.Search{Account: "999"}); n != 0 {
		t.Errorf("%d lines of another account", n)
	}
	if s := w.wrong(); s != "" {
		t.Error(s)
	}
}

// asked is a log that notes when it is asked.
type asked struct {
	own
	at chan time.Time
}

func (a asked) After(ctx context.Context, at audit.Head) (audit.Part, error) {
	select {
	case a.at <- time.Now():
	default:
	}
	return a.own.After(ctx, at)
}

// What a walrus refused is found however busy cloudctl itself is, and asking
// for it is no load of its own.
func TestOtherLogsAreAskedAtTheirPaceHoweverMuchTheOwnWrites(t *testing.T) {
	w := open(t)
	theirs := asked{own{w.log}, make(chan time.Time)}
	w.Pace = 300 * time.Millisecond
	w.Sources = func() map[string]Source {
		return map[string]Source{"cloudctl.karri": own{w.log}, "walrus.karri": theirs}
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx, "cloudctl.karri") }()
	go func() {
		for ctx.Err() == nil {
			w.Nudge()
			pause(ctx, time.Millisecond)
		}
	}()
	first := <-theirs.at
	<-theirs.at
	if third := <-theirs.at; third.Sub(first) < 2*w.Pace {
		t.Errorf("asked three times within %v", third.Sub(first))
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestALogThatWasCutShows(t *testing.T) {
	w := open(t)
	w.note(10)
	w.take()
	if err := w.log.Close(); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(w.dir, "*.log"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(b), "\n")
	if err := os.WriteFile(files[0], []byte(strings.Join(lines[:6], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	w.openLog()
	if s := w.wrong(); !strings.Contains(s, "line 10, which was seen, is gone") {
		t.Errorf("found %q", s)
	}
	w.take()
	w.note(7) // it is longer again
	w.take()
	if s := w.wrong(); !strings.Contains(s, "is gone or another one") {
		t.Errorf("later: %q", s)
	}
	if n := w.count(store.Search{Action: "Do15"}); n != 1 {
		t.Error("what came later is not taken over")
	}
}

func TestTheRecordIsThePublicOne(t *testing.T) {
	began := time.Unix(-60, 0)
	l := audit.Line{Time: time.Unix(0, 0), Service: "ec2", Action: "RunInstances", Kind: "user", Account: "111122223333", ARN: "arn:aws:iam::111122223333:user/x/ann", ID: "AIDA1",
		Name: "ann", AccessKey: "AKIA1", MFA: true, Issued: &began, Params: json.RawMessage(`{"minCount":1}`), Made: json.RawMessage(`{"instanceId":"i-1"}`), Source: "10.0.0.1", Agent: "cli", On: []string{"arn:aws:ec2:us-east-1:111122223333:instance/i-1", "*"}, RequestID: "r", Code: "UnauthorizedOperation", Text: "no"}
	raw, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Record(row("log", &l, raw), "us-east-1")
	want := `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","principalId":"AIDA1","arn":"arn:aws:iam::111122223333:user/x/ann","accountId":"111122223333","accessKeyId":"AKIA1","userName":"ann","sessionContext":{"attributes":{"creationDate":"1969-12-31T23:59:00Z","mfaAuthenticated":"true"}}},` +
		`"eventTime":"1970-01-01T00:00:00Z","eventSource":"ec2.amazonaws.com","eventName":"RunInstances","awsRegion":"us-east-1","sourceIPAddress":"10.0.0.1","userAgent":"cli","errorCode":"Client.UnauthorizedOperation","errorMessage":"no","requestParameters":{"minCount":1},"responseElements":{"instanceId":"i-1"},` +
		`"requestID":"r","eventID":"` + eventID("log", 0) + `","readOnly":false,"resources":[{"accountId":"111122223333","type":"AWS::EC2::Instance","ARN":"arn:aws:ec2:us-east-1:111122223333:instance/i-1"}],"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management"}`
	if err != nil || string(b) != want {
		t.Errorf("%v\n%s\n%s", err, b, want)
	}
}

func TestASessionOfARoleNamesItsRole(t *testing.T) {
	began := time.Unix(0, 0)
	l := audit.Line{Service: "s3", Action: "CreateBucket", Kind: "role", Account: "111122223333", ARN: "arn:aws:sts::111122223333:assumed-role/deploy/ci", ID: "AROA1:ci", Name: "ci",
		AccessKey: "ASIA1", Role: "arn:aws:iam::111122223333:role/x/deploy", Issued: &began, RequestID: "r"}
	raw, err := json.Marshal(l)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Record(row("log", &l, raw), "us-east-1")
	want := `"userIdentity":{"type":"AssumedRole","principalId":"AROA1:ci","arn":"arn:aws:sts::111122223333:assumed-role/deploy/ci","accountId":"111122223333","accessKeyId":"ASIA1","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA1","arn":"arn:aws:iam::111122223333:role/x/deploy","accountId":"111122223333","userName":"deploy"},` +
		`"attributes":{"creationDate":"1970-01-01T00:00:00Z","mfaAuthenticated":"false"}}}`
	if err != nil || !strings.Contains(string(b), want) || !strings.Contains(string(b), `"requestParameters":null,"responseElements":null`) {
		t.Errorf("%v\n%s", err, b)
	}
}
