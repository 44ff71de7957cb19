package pretend

import (
	"crypto/ed25519"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/local"
	"karri/cloudctl/store"
	"karri/shared/bucket"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/pki"
	"karri/shared/rest"
)

// who may use what between components, written by hand. A row is a route of a
// daemon; the letters are those that it lets in:
//
//	c  cloudctl             w  walrus
//	k  clusterctl here      K  that of another zone
//	b  blockstore here      B  that of another zone
//	n  the node itself, or the node that has the instance
//	m  another node of the zone          M  one of another zone
//	r  a node that was forgotten, with the certificate that it had
//	-  an impostor: cloudctl by the authority of another cloud
//
// "Here" is the zone of the daemon, or the first zone where the daemon has none.
const everyone = "cwkKbBnmMr-"

var mayUse = map[string]string{
	"cloudctl POST /v1/join": "open", "cloudctl POST /v1/renew": "wkKbB",
	"cloudctl GET /v1/explain/{id}":                "c",
	"cloudctl POST /v1/keys/derive":                "w",
	"cloudctl POST /v1/keys/check-v2":              "w",
	"cloudctl POST /v1/principals":                 "w",
	"cloudctl GET /v1/events":                      "wkKbB",
	"cloudctl POST /v1/instances/{id}/credentials": "k",

	"cloudctl GET /v1/audit": "c", "walrus GET /v1/audit": "c", "clusterctl GET /v1/audit": "c", "blockstore GET /v1/audit": "c", "nodectl GET /v1/audit": "k",
	"cloudctl GET /v1/audit/verify": "c", "walrus GET /v1/audit/verify": "c", "clusterctl GET /v1/audit/verify": "c", "blockstore GET /v1/audit/verify": "c", "nodectl GET /v1/audit/verify": "k",
	"clusterctl GET /v1/nodes/{name}/audit": "c", "clusterctl GET /v1/nodes/{name}/audit/verify": "c",

	"clusterctl POST /v1/join": "open", "clusterctl POST /v1/renew": "nm",
	"clusterctl PUT /v1/orders": "c", "clusterctl GET /v1/report": "c",
	"clusterctl POST /v1/join-tokens": "c", "clusterctl POST /v1/nodes/{name}/forget": "c", "clusterctl POST /v1/adopt": "c",
	"clusterctl GET /v1/instances/{id}/console":      "c",
	"clusterctl GET /v1/explain/{id}":                "c",
	"clusterctl GET /v1/images/{sha256}":             "n",
	"clusterctl POST /v1/instances/{id}/credentials": "n",

	"blockstore PUT /v1/orders": "c", "blockstore GET /v1/report": "c", "blockstore GET /v1/explain/{id}": "c",

	"nodectl PUT /v1/orders": "k", "nodectl GET /v1/report": "k",
	"nodectl GET /v1/instances/{id}/console": "k", "nodectl GET /v1/explain/{id}": "k",

	"walrus GET /v1/buckets": "c", "walrus PUT /v1/buckets/{bucket}/quota": "c",
	"walrus GET /v1/accounts/{account}/quota": "c", "walrus PUT /v1/accounts/{account}/quota": "c",
	// cloudctl copies images, clusters read them; each blockstore has its own snapshots and reads all.
	"walrus GET images": "ckK", "walrus HEAD images": "ckK", "walrus PUT images": "c", "walrus POST images": "c", "walrus DELETE images": "c",
	"walrus GET snapshots": "cbB", "walrus HEAD snapshots": "cbB", "walrus PUT snapshots": "cb", "walrus POST snapshots": "cb", "walrus DELETE snapshots": "cb",
	// What belongs to users cloudctl alone reads, in their name.
	"walrus GET a user's": "", "walrus HEAD a user's": "", "walrus PUT a user's": "", "walrus POST a user's": "", "walrus DELETE a user's": "",
	"walrus GET for a user": "c", "walrus HEAD for a user": "c", "walrus PUT for a user": "", "walrus POST for a user": "", "walrus DELETE for a user": "",
}

// TestWhoMayAskWhatBetweenComponents tries every route of every daemon as
// every component, in a cloud of two zones.
func TestWhoMayAskWhatBetweenComponents(t *testing.T) {
	Tell(t, func(c *Story) {
		m := newMatrix(c)
		seen := map[string]bool{}
		for role, daemon := range map[string]string{"cloudctl": "cloudctl", "walrus": "walrus", "clusterctl": "clusterctl-" + m.here, "blockstore": "blockstore-" + m.here, "nodectl": m.node} {
			p, err := c.part(daemon)
			if err != nil {
				c.Fatal(err)
			}
			for _, r := range p.service.Internal.Routes() {
				for _, try := range m.tries(role, r) {
					m.try(role, daemon, r, try, seen)
				}
			}
		}
		for row := range mayUse {
			if !seen[row] {
				c.Errorf("%s: there is no such route", row)
			}
		}
	}, Zones(2), Hosts(3))
}

// matrix is the components of a cloud, by the letters of the table.
type matrix struct {
	*Story
	here, node string
	instance   *store.Instance
	who        map[rune]func() *pki.Credentials
}

func newMatrix(c *Story) *matrix {
	zones := c.ZoneNames()
	m := &matrix{Story: c, here: zones[0], who: map[rune]func() *pki.Credentials{}}
	i := c.Run(c.Base, 1)[0]
	c.Settle()
	b, err := local.OpenBook(c.Context(), filepath.Join(c.Dir, "cloudctl"))
	if err != nil {
		c.Fatal(err)
	}
	defer b.Store.Close()
	err = b.Store.View(c.Context(), func(tx *store.Tx) error {
		m.instance, err = tx.Instance(store.AnyAccount, id.Instance(i))
		return err
	})
	if err != nil {
		c.Fatal(err)
	}
	m.here, m.node = m.instance.Zone, m.instance.Node
	there := zones[0]
	if there == m.here {
		there = zones[1]
	}
	add := func(letter rune, daemon string) {
		p, err := c.part(daemon)
		if err != nil {
			c.Fatal(err)
		}
		creds := p.service.Self()
		m.who[letter] = func() *pki.Credentials { return creds }
	}
	add('c', "cloudctl")
	add('w', "walrus")
	add('k', "clusterctl-"+m.here)
	add('K', "clusterctl-"+there)
	add('b', "blockstore-"+m.here)
	add('B', "blockstore-"+there)
	add('n', m.node)
	rest := []string{}
	for _, p := range c.parts {
		if p.role == "nodectl" && p.zone == m.here && p.name != m.node {
			rest = append(rest, p.name)
		} else if p.role == "nodectl" && p.zone == there {
			add('M', p.name)
		}
	}
	add('m', rest[0])
	add('r', rest[1])
	if err := c.Stop(rest[1]); err != nil {
		c.Fatal(err)
	}
	if _, err := c.Admin.Call(c.Context(), "karri", "ForgetNode", params{"NodeName": rest[1], "Zone": m.here}); err != nil {
		c.Fatal(err)
	}
	c.Settle()
	impostor := m.impostor()
	m.who['-'] = func() *pki.Credentials { return impostor }
	return m
}

// impostor is called cloudctl by the authority of another cloud. Who has no
// certificate at all is tried by package rest.
func (m *matrix) impostor() *pki.Credentials {
	m.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		m.Fatal(err)
	}
	root, err := pki.NewRoot(time.Now())
	if err != nil {
		m.Fatal(err)
	}
	csr, err := pki.Request(key, pki.Identity{Role: pki.Cloudctl})
	if err != nil {
		m.Fatal(err)
	}
	chain, err := root.Issue(csr, time.Now())
	if err != nil {
		m.Fatal(err)
	}
	creds, err := pki.Enrolled(key, chain, root.RootPEM(), time.Now())
	if err != nil {
		m.Fatal(err)
	}
	creds.Root = m.who['c']().Root // it believes in this one itself
	return creds
}

// attempt is one request for a route, and the row that says who may.
type attempt struct{ row, path, query, account string }

func (m *matrix) tries(role string, r rest.Route) []attempt {
	path := strings.NewReplacer("{id}", string(m.instance.ID), "{name}", "nobody", "{bucket}", "nothing", "{account}", m.instance.Account,
		"{sha256}", m.instance.Image.SHA256).Replace(r.Pattern)
	query := ""
	if strings.Contains(r.Pattern, "{sha256}") {
		query = "bucket=" + m.instance.Image.Bucket + "&key=" + m.instance.Image.Key
	}
	if object, ok := strings.CutSuffix(path, "{object:.*}"); ok {
		if r.Method == "POST" {
			query = "uploads="
		}
		users := object + ImageName + "-" + strings.ToLower(m.Admin.keys.AccessKey) + "/none"
		row := role + " " + r.Method
		return []attempt{
			{row + " images", object + "karri-images/none", query, ""},
			{row + " snapshots", object + "karri-snapshots-" + m.here + "/none", query, ""},
			{row + " a user's", users, query, ""},
			{row + " for a user", users, query, m.instance.Account},
		}
	}
	return []attempt{{role + " " + r.Method + " " + r.Pattern, path, query, ""}}
}

// try asks as everyone. The body is nothing that a handler takes, so that
// whoever is let in changes nothing.
func (m *matrix) try(role, daemon string, r rest.Route, a attempt, seen map[string]bool) {
	if r.Open && (r.Pattern == "/v1/root" || r.Pattern == "/v1/boot") {
		return
	}
	may, ok := mayUse[a.row]
	if seen[a.row] = true; !ok || r.Open != (may == "open") {
		m.Errorf("%s: who may use it is not said (open: %v)", a.row, r.Open)
		return
	}
	if r.Open {
		return
	}
	got := ""
	why := map[rune]error{}
	for _, letter := range everyone {
		err := m.ask(letter, daemon, r.Method, a)
		if why[letter] = err; !refused(err) {
			got += string(letter)
		}
	}
	if got != may {
		for _, letter := range everyone {
			if strings.ContainsRune(got, letter) != strings.ContainsRune(may, letter) {
				m.Errorf("%s: %c: %v", a.row, letter, why[letter])
			}
		}
	}
}

func (m *matrix) ask(letter rune, daemon, method string, a attempt) error {
	p, err := m.part(daemon)
	if err != nil {
		return err
	}
	client := rest.NewClient(m.who[letter], p.service.Identity(), m.addrs[daemon], rest.Dial(m.dial(hostOf(m.addrs["cloudctl"]))))
	defer client.Close()
	query, err := url.ParseQuery(a.query)
	if err != nil {
		return err
	}
	req := rest.Request{Method: method, Path: a.path, Query: query}
	if method == "PUT" || method == "POST" {
		req.Body = []byte("!")
	}
	if a.account != "" {
		req.Header = http.Header{bucket.ForHeader: {a.account}}
	}
	res, err := client.Do(m.Context(), req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, res.Body)
	return res.Body.Close()
}

// refused tells who was not let in from whose request was no good.
func refused(err error) bool {
	code := fault.CodeOf(err)
	return err != nil && (fault.KindOf(err) == fault.Denied || code == rest.PeerAway || code == "NoSuchNode" && !strings.Contains(err.Error(), "nobody"))
}
