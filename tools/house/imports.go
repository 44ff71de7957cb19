package house

import (
	"path"
	"slices"
	"strings"
)

// doors names, for each outside library (by its beginning), the only packages
// that may import it: to change a library is to change one package.
var doors = map[string]string{
	"gorm.io/":                           "shared/db */store",
	"modernc.org/sqlite":                 "shared/db",
	"github.com/gorilla/mux":             "shared/rest",
	"github.com/golang-jwt/":             "shared/token",
	"github.com/vishvananda/":            "shared/link",
	"github.com/digitalocean/go-libvirt": "nodectl/hypervisor",
	"libvirt.org/":                       "nodectl/hypervisor",
	"github.com/cockroachdb/pebble":      "walrus/index",
	"github.com/ceph/":                   "walrus/content",
	"github.com/jackc/":                  "walrus/index",
	"github.com/insomniacslk/dhcp":       "nodectl/network",
	"github.com/miekg/dns":               "nodectl/network",
	"github.com/pquerna/otp":             "cloudctl/mfa",
	"github.com/coreos/go-oidc/":         "cloudctl/federation",
	"golang.org/x/crypto/argon2":         "cloudctl/password",
	"github.com/prometheus/":             "shared/rest",
	"github.com/nats-io/":                "shared/events shared/events/eventstest",
	"github.com/spf13/cobra":             "tools/karri",
	"github.com/schollz/progressbar":     "tools/karri",
	"github.com/jedib0t/go-pretty":       "tools/karri",
	"github.com/spf13/pflag":             "shared/config tools/karri",
	"github.com/goccy/go-yaml":           "shared/config",
	"github.com/aws/":                    "tools/* tools/*/*",
	"pgregory.net/rapid":                 "*/*test */*/*test */*/*/*test",
}

// onlyInTests are libraries that any test may use, whatever the door.
var onlyInTests = []string{"github.com/aws/", "pgregory.net/rapid"}

var tiers = []string{"cloudctl", "clusterctl", "nodectl", "walrus", "blockstore"}

func eachLibraryHasOneDoor(all []source, report report) {
	for _, s := range all {
		for _, to := range s.imports() {
			for lib, door := range doors {
				if !strings.HasPrefix(to, lib) || s.isTest() && slices.Contains(onlyInTests, lib) {
					continue
				}
				if !through(door, s.dir) {
					report("%s imports %s: only %q may; ask that package for what you need", s.path, to, door)
				}
			}
		}
	}
}

func thereIsOneLog(all []source, report report) {
	for _, s := range all {
		if slices.Contains(s.imports(), "log") && !s.isTest() {
			report("%s imports log: use log/slog", s.path)
		}
		if slices.Contains(calls(s, "context"), "TODO") {
			report("%s uses context.TODO: every call has a context of its caller", s.path)
		}
	}
}

func tiersMeetOnlyInShared(all []source, report report) {
	for _, s := range all {
		from := tier(s.dir)
		for _, to := range s.imports() {
			to, ours := strings.CutPrefix(to, module)
			if ours && from != "tools" && tier(to) != from && tier(to) != "shared" {
				report("%s imports %s: a tier imports itself and shared, shared imports shared", s.path, to)
			}
			if ours && strings.HasSuffix(path.Base(to), "test") && !s.isTest() && !strings.HasSuffix(path.Base(s.dir), "test") && from != "tools" {
				report("%s imports %s: what is for tests is for tests", s.path, to)
			}
		}
	}
}

// floors orders the rooms of a tier: a package imports no package of a higher
// floor. Rooms not named here are on floor 2.
var floors = map[string]int{
	".": 5, "daemon": 4, "portal": 3,
	"api": 3, "ec2": 3, "iam": 3, "sts": 3, "servicequotas": 3, "admin": 3, "cloudtrail": 3, "s3": 3, "agent": 3, "keep": 3, "mill": 3,
	"store": 1,
}

func noRoomLooksUpward(all []source, report report) {
	for _, s := range all {
		from := tier(s.dir)
		if !slices.Contains(tiers, from) || s.isTest() {
			continue
		}
		for _, to := range s.imports() {
			to, ours := strings.CutPrefix(to, module)
			if ours && tier(to) == from && floor(to) > floor(s.dir) {
				report("%s imports %s, which is on a higher floor (main, daemon, api and keep, engines, store)", s.path, to)
			}
		}
	}
}

func floor(dir string) int {
	_, room, _ := strings.Cut(dir, "/")
	room, _, _ = strings.Cut(room, "/")
	if room == "" {
		room = "."
	}
	if f, ok := floors[room]; ok {
		return f
	}
	return 2
}

// pure packages decide; they know no clock, disk, network or log. They may use
// the shapes of shared/wire, in which tiers say what there is.
var pure = []string{"shared/fault", "shared/id", "shared/policy", "*/choose"}

var impure = []string{"os", "io/fs", "net", "net/http", "log", "log/slog", "database/sql", "os/exec", "syscall", "math/rand", "math/rand/v2"}

func purePackagesStayPure(all []source, report report) {
	for _, s := range all {
		if s.isTest() || !through(strings.Join(pure, " "), s.dir) {
			continue
		}
		for _, to := range s.imports() {
			inside, ours := strings.CutPrefix(to, module)
			outside := !ours && strings.Contains(strings.Split(to, "/")[0], ".")
			if slices.Contains(impure, to) || outside || ours && inside != "shared/wire" && !through(strings.Join(pure, " "), inside) {
				report("%s imports %s: it must be pure (standard library without clock, disk, net, log)", s.path, to)
			}
		}
		for _, name := range calls(s, "time") {
			if slices.Contains([]string{"Now", "Sleep", "After", "Since", "Until", "NewTimer", "Tick"}, name) {
				report("%s calls time.%s: it must be pure", s.path, name)
			}
		}
	}
}

// through reports whether dir matches one of the patterns of a door.
func through(door, dir string) bool {
	return slices.ContainsFunc(strings.Fields(door), func(pattern string) bool {
		ok, err := path.Match(pattern, dir)
		return ok && err == nil
	})
}

func tier(p string) string {
	t, _, _ := strings.Cut(p, "/")
	return t
}
