package house

import (
	"fmt"
	"strings"
	"testing"
)

func TestTheHouse(t *testing.T) {
	all, err := parseAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d files found under %s", len(all), root)
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) { rule(all, t.Errorf) })
	}
}

// breaches are sources that each break one rule, with a word of the complaint,
// or that keep it although they look as if they did not: complaint "".
var breaches = []struct{ rule, path, text, complaint string }{
	{"each library has one door", "nodectl/disk/x.go", `package disk; import _ "gorm.io/gorm"`, "gorm.io"},
	{"each library has one door", "cloudctl/store/x.go", `package store; import _ "gorm.io/gorm"`, ""},
	{"each library has one door", "cloudctl/ec2/x_test.go", `package ec2; import _ "github.com/aws/aws-sdk-go-v2/aws"`, ""},
	{"each library has one door", "cloudctl/ec2/x.go", `package ec2; import _ "github.com/aws/aws-sdk-go-v2/aws"`, "aws-sdk"},
	{"there is one log", "walrus/s3/x.go", `package s3; import _ "log"`, "log/slog"},
	{"there is one log", "walrus/s3/x.go", `package s3; import "context"; var c = context.TODO()`, "context.TODO"},
	{"tiers meet only in shared", "nodectl/api/x.go", `package api; import _ "karri/clusterctl/store"`, "clusterctl"},
	{"tiers meet only in shared", "shared/life/x.go", `package life; import _ "karri/nodectl/host"`, "nodectl"},
	{"tiers meet only in shared", "nodectl/api/x.go", `package api; import _ "karri/nodectl/host/hosttest"`, "tests"},
	{"tiers meet only in shared", "tools/lab/x.go", `package lab; import _ "karri/nodectl/host"`, ""},
	{"no room looks upward", "cloudctl/store/x.go", `package store; import _ "karri/cloudctl/ec2"`, "floor"},
	{"no room looks upward", "cloudctl/keep/x.go", `package keep; import _ "karri/cloudctl/daemon"`, "floor"},
	{"no room looks upward", "cloudctl/keep/x.go", `package keep; import _ "karri/cloudctl/store"`, ""},
	{"pure packages stay pure", "clusterctl/choose/x.go", `package choose; import _ "os"`, "os"},
	{"pure packages stay pure", "clusterctl/choose/x.go", `package choose; import "time"; var t = time.Now()`, "time.Now"},
	{"pure packages stay pure", "clusterctl/choose/x.go", `package choose; import "time"; const t = time.Second`, ""},
	{"nothing is too long", "a/x.go", "package a\n" + strings.Repeat("\n", 401), "lines"},
	{"nothing is too long", "a/x.go", "package a\nfunc f() {" + strings.Repeat("\n", 61) + "}", "f has"},
	{"nothing is too long", "a/x.go", "package a\ntype i interface{ a();b();c();d();e();f();g();h();i();j() }", "methods"},
	{"every package says what it is", "a/x.go", "// Something.\npackage a", "a:"},
	{"every package says what it is", "tools/x/main.go", "// Command x does it.\npackage main", ""},
	{"packages have names of their own", "a/utils/x.go", "package utils", "utils"},
	{"exported names are explained", "a/x.go", "package a\nfunc F() {}", "F is"},
	{"exported names are explained", "a/x.go", "package a\nvar V int", "V is"},
	{"exported names are explained", "a/x.go", "package a\n// T is.\ntype T int\nfunc (T) M() {}\nfunc (T) String() string { return \"\" }", "M is"},
	{"exported names are explained", "a/x.go", "package a\n// T is.\ntype T int\nconst (\nA T = iota\nB\n)", ""},
	{"nothing is left for later", "a/x.go", "package a\n// TODO: more.", "TODO"},
	{"nothing is left for later", "a/x.go", "package a\n// This is enough for now.", "for now"},
	{"tests do not sleep", "a/x_test.go", `package a; import "time"; func f() { time.Sleep(1) }`, "sleeps"},
	{"tests do not sleep", "a/x_test.go", `package a; import "time"; func f() { for { time.Sleep(1) } }`, ""},
	{"real tests are behind their tag", "a/x_real_test.go", "package a", "go:build"},
	{"real tests are behind their tag", "a/x_real_test.go", "//go:build real\n\npackage a", ""},
	{"crash points have names of their own", "a/x.go", `package a; import "karri/shared/crash"; func f() { crash.Here("x"); crash.Here("x") }`, "also at"},
	{"crash points have names of their own", "a/x.go", `package a; import "karri/shared/crash"; func f(n string) { crash.Here(n) }`, "written out"},
	{"signatures are compared in constant time", "a/x.go", "package a\nfunc f(s struct{ Signature string }, want string) bool { return s.Signature == want }", "hmac.Equal"},
	{"signatures are compared in constant time", "a/x.go", "package a\nimport \"bytes\"\nfunc f(signature, want []byte) bool { return bytes.Equal(want, signature) }", "hmac.Equal"},
	{"signatures are compared in constant time", "a/x.go", "package a\nfunc f(password, want string) bool { return want != password }", "hmac.Equal"},
	{"signatures are compared in constant time", "a/x.go", "package a\nimport \"crypto/subtle\"\nfunc f(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }", "use hmac.Equal"},
	{"signatures are compared in constant time", "a/x.go", "package a\nfunc f(signature string) bool { return signature == \"\" }", ""},
	{"actions are whole and in files of their own", "a/run.go", `package a; var _ = action.Add(C, action.Def[A, B, C]{Name: "RunIt", Doc: "x.", On: f, Run: f})`, "run_it.go"},
	{"actions are whole and in files of their own", "a/run_it.go", `package a; var _ = action.Add(C, action.Def[A, B, C]{Name: "RunIt", Doc: "x.", Run: f})`, "no On"},
	{"actions are whole and in files of their own", "a/describe_its.go", `package a; var _ = action.Add(C, action.Def[A, B, C]{Name: "DescribeIts", Doc: "x.", On: f, Run: f})`, "no List"},
	{"actions are whole and in files of their own", "a/run_it.go", `package a; var _ = action.Add(C, action.Def[A, B, C]{Name: "RunIt", Doc: "x.", On: f, Run: f})`, ""},
}

func TestTheRulesBite(t *testing.T) {
	bitten := map[string]bool{}
	for _, b := range breaches {
		s, err := parse(b.path, b.text)
		if err != nil {
			t.Fatal(b.text, err)
		}
		said := ""
		rules[b.rule]([]source{s}, func(format string, args ...any) { said += fmt.Sprintf(format, args...) })
		if b.complaint == "" && said != "" || !strings.Contains(said, b.complaint) {
			t.Errorf("%s: %s in %s: want %q, got %q", b.rule, b.text, b.path, b.complaint, said)
		}
		bitten[b.rule] = bitten[b.rule] || b.complaint != ""
	}
	for name := range rules {
		if !bitten[name] {
			t.Errorf("%s: never seen to bite", name)
		}
	}
}

func TestFileOf(t *testing.T) {
	for action, want := range map[string]string{"RunInstances": "run_instances.go", "DescribeVpcs": "describe_vpcs.go", "GetCallerIdentity": "get_caller_identity.go"} {
		if got := fileOf(action); got != want {
			t.Errorf("%s: got %s", action, got)
		}
	}
}
