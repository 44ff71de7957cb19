//go:build real

package story

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"karri/cloudctl/local"
	"karri/cloudctl/store"
	"karri/cloudctl/vault"
	"karri/tools/leak"
	"karri/tools/site"
)

// told is what a story knows of its cloud that nobody else may.
type told struct {
	mu      sync.Mutex
	secrets []known
	answers []string // to what was refused
}

type known struct {
	what, value string
	homes       []string // files where it may be
}

// secret says that a value is a secret, with the files where it is at home.
func (c *cloud) secret(what, value string, homes ...string) {
	c.told.mu.Lock()
	defer c.told.mu.Unlock()
	c.told.secrets = append(c.told.secrets, known{what, value, homes})
}

// refused keeps what a user was answered.
func (c *cloud) refused(answer string) {
	c.told.mu.Lock()
	defer c.told.mu.Unlock()
	c.told.answers = append(c.told.answers, answer)
}

// notSearched are the bytes of users: their guests' disks, volumes and objects.
var notSearched = []string{"walrus/content", "blockstore/volumes", "*.qcow2", "*.img", "*.raw", "junk"}

// noSecret is what is known to be in many places: what looks for secrets sees it.
const noSecret = "the administrator's key id"

// secretsAreKept looks, before a cloud is removed, for all secrets that it has
// and that it gave out: in every file, in the arguments and environments of its
// processes, in metrics and the debugger's pages, in explanations and in what
// was answered to what was refused.
func (c *cloud) secretsAreKept() {
	c.t.Helper()
	from := time.Now()
	h := &leak.Hunt{}
	for _, k := range c.known() {
		if err := h.Add(k.what, []byte(k.value), k.homes...); err != nil {
			c.t.Error(err)
		}
	}
	if err := h.Add(noSecret, []byte(c.admin().keys.AccessKey), "admin.env"); err != nil {
		c.t.Error(err)
	}
	if err := h.Files(c.Dir, notSearched...); err != nil {
		c.t.Error(err)
	}
	programs, err := h.Processes(c.Dir, c.libvirt()...)
	if err != nil {
		c.t.Error(err)
	}
	pages := c.huntPages(h)
	c.huntExplanations(h)
	c.told.mu.Lock()
	h.Text("what was answered to what was refused", []byte(strings.Join(c.told.answers, "\n")))
	c.told.mu.Unlock()
	seen := 0
	for _, found := range h.Found() {
		if strings.HasPrefix(found, noSecret) {
			seen++
			continue
		}
		c.t.Errorf("a leak: %s", found)
	}
	if seen < 4 { // in audit logs, and the databases that are made of them
		c.t.Errorf("what is no secret is seen in %d places only", seen)
	}
	c.t.Logf("%s; processes %v, %d pages, %d refusals, in %s", h, programs, pages, len(c.told.answers), time.Since(from).Round(time.Millisecond))
	c.isAbleToFail(h)
}

// isAbleToFail plants secrets and looks for them.
func (c *cloud) isAbleToFail(h *leak.Hunt) {
	c.t.Helper()
	before := len(h.Found())
	all := c.known()
	planted := filepath.Join(c.Dir, "log", "planted.log")
	if err := os.WriteFile(planted, []byte(`{"msg":"`+base64.StdEncoding.EncodeToString([]byte("x"+all[0].value))+`"}`), 0o600); err != nil {
		c.t.Fatal(err)
	}
	if err := h.Files(filepath.Dir(planted)); err != nil {
		c.t.Error(err)
	}
	if !slices.ContainsFunc(h.Found()[before:], func(s string) bool { return strings.HasPrefix(s, all[0].what+" is in planted.log") }) {
		c.t.Errorf("a secret that was planted was not found, but %v", h.Found()[before:])
	}
}

// known returns all secrets of the cloud, each value once.
func (c *cloud) known() []known {
	c.t.Helper()
	c.told.mu.Lock()
	all := slices.Clone(c.told.secrets)
	c.told.mu.Unlock()
	all = append(all, c.keyFiles()...)
	all = append(all, c.sealed()...)
	byValue := map[string]known{}
	for _, k := range all {
		old := byValue[k.value]
		byValue[k.value] = known{cmp.Or(old.what, k.what), k.value, append(old.homes, k.homes...)}
	}
	return slices.SortedFunc(maps.Values(byValue), func(a, b known) int { return cmp.Compare(a.what, b.what) })
}

// keyFiles are the secrets that lie in files of their own, which only root opens.
func (c *cloud) keyFiles() (all []known) {
	c.t.Helper()
	err := filepath.WalkDir(c.Dir, func(file string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // it went meanwhile
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		name, err := filepath.Rel(c.Dir, file)
		if err != nil {
			return err
		}
		values := secretsIn(name, file)
		if len(values) > 0 && open(c.Dir, name) {
			c.t.Errorf("%s holds a secret and is open to anybody", name)
		}
		for _, v := range values {
			all = append(all, known{"the secret of " + name, v, []string{name}})
		}
		return nil
	})
	if err != nil {
		c.t.Error(err)
	}
	if len(all) < 8 { // master keys, and a key of each daemon and of the cloud
		c.t.Errorf("there are secrets in %d files only", len(all))
	}
	return all
}

// secretsIn are the secrets in a file that is there for them.
func secretsIn(name, file string) (values []string) {
	base := filepath.Base(name)
	keyed := slices.Contains([]string{"master.key", "master.keys", "master-key.aes", "metadata.key", "admin.env"}, base) || strings.HasSuffix(base, ".token") || strings.HasSuffix(base, ".pem")
	if !keyed {
		return nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	text := strings.TrimSpace(string(b))
	raw := func(s string) {
		if key, err := base64.StdEncoding.DecodeString(s); err == nil {
			values = append(values, string(key))
		}
	}
	switch {
	case strings.HasSuffix(base, ".pem"):
		if bytes.Contains(b, []byte("PRIVATE KEY")) {
			values = append(values, string(b))
		}
	case strings.HasSuffix(base, ".token"):
		values = append(values, text[strings.LastIndexAny(text, ".:/")+1:])
	case base == "admin.env":
		_, after, _ := strings.Cut(text, "AWS_SECRET_ACCESS_KEY='")
		value, _, _ := strings.Cut(after, "'")
		values = append(values, value)
	case base == "master-key.aes" || base == "metadata.key" || base == "master.key" && len(b) == 32:
		values = append(values, string(b))
	default:
		for line := range strings.Lines(text) {
			word, _, _ := strings.Cut(strings.TrimSpace(line[strings.Index(line, ":")+1:]), " ")
			raw(word)
		}
	}
	return values
}

// open reports whether anybody may read a file below dir.
func open(dir, name string) bool {
	for at := name; at != "."; at = filepath.Dir(at) {
		info, err := os.Stat(filepath.Join(dir, at))
		if err != nil || info.IsDir() && info.Mode()&0o001 == 0 || !info.IsDir() && info.Mode()&0o004 == 0 {
			return false
		}
	}
	return true
}

// sealed are the secrets of users that cloudctl's database has under the master key.
func (c *cloud) sealed() (all []known) {
	c.t.Helper()
	dir := filepath.Join(c.Dir, "cloudctl")
	v, err := vault.Open(local.MasterKeyFile(dir))
	if err != nil {
		c.t.Fatal(err)
	}
	ctx := context.Background() // the test's is over
	s, err := store.Open(ctx, local.DatabaseFile(dir))
	if err != nil {
		c.t.Fatal(err)
	}
	defer s.Close()
	err = s.View(ctx, func(tx *store.Tx) error {
		rows, err := tx.Sealed(nil, 10_000)
		for _, r := range rows {
			value, err := v.Unseal(r.Name, r.Sealed)
			if err != nil {
				return err
			}
			all = append(all, known{"the secret of " + r.Name, value, nil})
		}
		return err
	})
	if err != nil || len(all) == 0 {
		c.t.Errorf("%d secrets of users: %v", len(all), err)
	}
	return all
}

// libvirt returns the daemons that nodectl started, in a place of their own.
func (c *cloud) libvirt() (pids []int) {
	files, _ := filepath.Glob(filepath.Join(c.Dir, "node*/libvirt/run/*.pid"))
	for _, file := range files {
		b, err := os.ReadFile(file)
		if pid, bad := strconv.Atoi(strings.TrimSpace(string(b))); err == nil && bad == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// huntPages asks the admin listener of each daemon that runs.
func (c *cloud) huntPages(h *leak.Hunt) (n int) {
	at := map[string]site.Host{"cloudctl": c.Control(), "walrus": c.Control(), "blockstore": c.Control(), "clusterctl": c.Control()}
	for _, host := range c.NodeHosts() {
		at[host.Name] = host
	}
	for name, host := range at {
		if _, runs := c.Process(name).Running(); !runs {
			continue
		}
		port, ok := c.Ports[name+"-admin"]
		if !ok {
			port = c.Ports["nodectl-admin"]
		}
		for _, page := range []string{"metrics", "readyz", "debug/pprof/cmdline", "debug/pprof/goroutine?debug=2", "debug/pprof/heap?debug=1"} {
			get := fmt.Sprintf("exec 3<>/dev/tcp/127.0.0.1/%d && printf 'GET /%s HTTP/1.0\\r\\n\\r\\n' >&3 && exec timeout 20 cat <&3", port, page)
			args := host.Within("bash", "-c", get)
			out, err := exec.Command(args[0], args[1:]...).Output()
			if err != nil || !bytes.Contains(out, []byte(" 200 OK\r\n")) && page != "readyz" {
				c.t.Errorf("/%s of %s: %v %.100s", page, name, err, out)
			}
			h.Text("/"+page+" of "+name, out)
			n++
		}
	}
	return n
}

// huntExplanations asks why all things are as they are.
func (c *cloud) huntExplanations(h *leak.Hunt) {
	ids := []string{"master-key", "node1"}
	for _, list := range [][]string{{"instance", "describe", "--id-only"}, {"volume", "describe", "--id-only"}, {"image", "describe", "--id-only"}} {
		if out, err := c.command(time.Minute, append([]string{"karri"}, list...)...); err == nil {
			ids = append(ids, strings.Fields(out)...)
		}
	}
	for _, id := range ids[:min(len(ids), 12)] {
		out, err := c.command(time.Minute, "karri", "explain", id)
		h.Text("karri explain "+id, []byte(out+fmt.Sprint(err)))
	}
}
