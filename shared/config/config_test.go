package config

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

type common struct {
	State string `flag:"state" default:"/var/lib/x" help:"folder"`
}

type conf struct {
	common
	Zone   string        `flag:"zone" required:"true" help:"which zone"`
	Every  time.Duration `flag:"every" default:"5s" help:"pass"`
	Port   uint16        `flag:"port" default:"80" help:"port"`
	Loud   bool          `flag:"loud" help:"say more"`
	Names  []string      `flag:"names" default:"a,b" help:"names"`
	Addr   netip.Addr    `flag:"addr" help:"address"`
	inside int
}

func load(t *testing.T, yaml string, args ...string) (conf, []string, error) {
	t.Helper()
	if yaml != "" {
		f := filepath.Join(t.TempDir(), "c.yaml")
		if err := os.WriteFile(f, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", f)
	}
	var c conf
	rest, err := Load(Program{Name: "prog", Purpose: "Does things."}, args, &c)
	return c, rest, err
}

func TestFlagsWinOverFileOverDefaults(t *testing.T) {
	c, rest, err := load(t, "zone: from-file\nport: 8080\nnames:\n  - x\n  - \"y\"\nevery: 1m\naddr: 10.0.0.1\n",
		"--every", "2s", "--loud", "left", "over")
	if err != nil {
		t.Fatal(err)
	}
	want := conf{common: common{State: "/var/lib/x"}, Zone: "from-file", Every: 2 * time.Second, Port: 8080, Loud: true,
		Names: []string{"x", "y"}, Addr: netip.MustParseAddr("10.0.0.1")}
	if !reflect.DeepEqual(c, want) || !reflect.DeepEqual(rest, []string{"left", "over"}) {
		t.Errorf("got %+v %v", c, rest)
	}
	c, _, err = load(t, "", "--zone=z", "--names", "q", "--names", "r,s")
	if err != nil || !reflect.DeepEqual(c.Names, []string{"q", "r", "s"}) {
		t.Errorf("repeated list: %v %v", c.Names, err)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct{ yaml, arg, want string }{
		{"zone: a\nprot: 1\n", "", `c.yaml:2: unknown key "prot"; is "port" meant?`},
		{"zone: a\nqqq: 1\n", "", `c.yaml:2: unknown key "qqq"; known are addr`},
		{"zone: a\nzone: b\n", "", "zone"},
		{"zone: a\n\nport: 99999\n", "", "c.yaml:3: port:"},
		{"zone: a\nport:\n  x: 1\n", "", "c.yaml:2: port: a plain value is wanted"},
		{"zone: [a]\n", "", "one value is wanted"},
		{"- a\n", "", "key: value"},
		{"zone: a\n---\nport: 1\n", "", "one document"},
		{"zone: [\n", "", "c.yaml"},
		{"port: 1\n", "", "--zone is required"},
		{"zone: a\n", "--nope", "unknown flag: --nope"},
	} {
		var args []string
		if c.arg != "" {
			args = append(args, c.arg)
		}
		if _, _, err := load(t, c.yaml, args...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.yaml, err, c.want)
		}
	}
	if _, err := Load(Program{}, []string{"--config", "/nowhere"}, &struct{}{}); err == nil {
		t.Error("a missing file was accepted")
	}
}

func TestHelpSaysAll(t *testing.T) {
	var b strings.Builder
	var c conf
	_, err := Load(Program{Name: "prog", Purpose: "Does things.", Out: &b, Files: [][2]string{{"STATE/x.db", "rows"}}}, []string{"--help"}, &c)
	if !errors.Is(err, ErrHelp) {
		t.Fatal(err)
	}
	for _, want := range []string{"NAME\n  prog", "Does things.", "--every duration (default 5s)", "--loud\n", "--zone string", "--config", "STATE/x.db", "EXIT STATUS"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("help lacks %q:\n%s", want, b.String())
		}
	}
}

func FuzzFile(f *testing.F) {
	for _, s := range []string{"", "a: 1", "zone: [a, b]", "zone: |\n  x", "? a\n: b", "&a zone: *a", "zone: !!binary x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, _, _ = load(t, s+"\n")
	})
}
