package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"karri/cloudctl/account"
	"karri/cloudctl/enroll"
	"karri/cloudctl/local"
	"karri/cloudctl/news"
	"karri/cloudctl/zonetest"
	"karri/shared/bucket"
	"karri/shared/bucket/buckettest"
	"karri/shared/config"
	"karri/shared/fault"
	"karri/shared/pki"
	"karri/shared/port"
	"karri/shared/rest"
	"karri/shared/service"
	"karri/shared/sign"
	"karri/shared/wire"
)

const here = "us-east-1a"

// cloudTest is a cloudctl, in this process or another, with all that it
// speaks to: a zone, a walrus and an administrator.
type cloudTest struct {
	*testing.T
	state    string
	internal string
	public   string
	keys     sign.Credentials
	account  string
	files    *trailFiles
	zone     *zonetest.Zone
	buckets  *buckettest.Fake
}

// newCloudTest chooses where the daemon will be. Its port is fixed, so that it
// can be started again in its place.
func newCloudTest(t *testing.T) *cloudTest {
	t.Helper()
	return &cloudTest{T: t, state: t.TempDir(), internal: freeAddr(t), public: freeAddr(t), files: &trailFiles{all: map[string][]byte{}}, zone: zonetest.New(nil), buckets: buckettest.New(nil)}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := port.Free("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// persist does what a client does whose server may die: try again.
func (c *cloudTest) persist(what string, try func() error) {
	c.Helper()
	var err error
	for range 1500 {
		if err = try(); err == nil {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	c.Fatalf("%s: %v", what, err)
}

// furnish joins the zone and walrus and gets the administrator's key, once the
// daemon answers.
func (c *cloudTest) furnish() {
	c.Helper()
	c.persist("the daemon", func() error {
		conn, err := net.Dial("tcp", c.public)
		if err == nil {
			conn.Close()
		}
		return err
	})
	book, err := local.OpenBook(c.Context(), c.state)
	if err != nil {
		c.Fatal(err)
	}
	defer book.Store.Close()
	c.listen(book)
	key, err := book.RootKey(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	c.account, c.keys = key.Account, sign.Credentials{AccessKey: key.AccessKey, Secret: key.Secret}
	root, err := pki.Load(filepath.Join(c.state, "ca"))
	if err != nil {
		c.Fatal(err)
	}
	desk := &enroll.Desk{Store: book.Store, Accounts: book, Root: root, Clock: time.Now}
	cluster, block := stand[wire.ClusterOrders, wire.ClusterReport](c), stand[wire.BlockOrders, wire.BlockReport](c)
	c.component(desk, pki.Identity{Role: pki.Walrus}, c.walrus)
	c.component(desk, pki.Identity{Role: pki.Blockstore, Zone: here}, func(s *service.Service) {
		wire.Serve(s.Internal, rest.Roles(pki.Cloudctl), block.Book, block.Board)
	})
	c.component(desk, pki.Identity{Role: pki.Clusterctl, Zone: here}, func(s *service.Service) {
		wire.Serve(s.Internal, rest.Roles(pki.Cloudctl), cluster.Book, cluster.Board)
		s.Internal.Handle("GET", "/v1/instances/{id}/console", rest.Roles(pki.Cloudctl), func(w http.ResponseWriter, _ *http.Request) error {
			_, err := io.WriteString(w, "login: ")
			return err
		})
		s.Internal.Handle("GET", "/v1/explain/{id}", rest.Roles(pki.Cloudctl), func(w http.ResponseWriter, _ *http.Request) error {
			return rest.JSON(w, wire.Explanation{Tier: "clusterctl " + here, Lines: []string{"all is well"}})
		})
		s.Go("zone", func(ctx context.Context) error { return c.zone.Run(ctx, cluster, block) })
	})
}

// listen makes a webhook, which hears of the administrator's key.
func (c *cloudTest) listen(book *account.Book) {
	c.Helper()
	there := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	c.Cleanup(there.Close)
	hooks := &news.Webhooks{Store: book.Store, Vault: book.Vault, Clock: time.Now}
	if _, _, err := hooks.Create(c.Context(), there.URL, "identity.>", ""); err != nil {
		c.Fatal(err)
	}
}

func stand[O, R any](c *cloudTest) zonetest.Stand[O, R] {
	c.Helper()
	b, err := wire.OpenBook[O](c.TempDir())
	if err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { b.Close() })
	return zonetest.Stand[O, R]{Book: b, Board: wire.NewBoard[R]()}
}

// component runs a stand-in for a component that joins by a token.
func (c *cloudTest) component(desk *enroll.Desk, who pki.Identity, before func(*service.Service)) {
	c.Helper()
	token, err := desk.NewToken(c.Context(), who)
	if err != nil {
		c.Fatal(err)
	}
	spec := service.Spec{Program: config.Program{Name: who.Role}, Identity: func() pki.Identity { return who },
		Run: func(ctx context.Context, s *service.Service) error { return s.Serve(ctx) }}
	start(c.T, spec, service.Flags{State: c.TempDir(), Listen: "127.0.0.1:0", Join: token.String()}, before)
}

// start runs a daemon in this process until the test ends or stop is called.
func start(t *testing.T, spec service.Spec, f service.Flags, before func(*service.Service)) (stop func()) {
	t.Helper()
	f.Admin = "127.0.0.1:0"
	ctx, cancel := context.WithCancel(context.Background())
	s, err := service.New(ctx, spec, service.Env{}, f)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	if before != nil {
		before(s)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// walrus serves the fake buckets in the words of walrus' internal API.
func (c *cloudTest) walrus(s *service.Service) {
	as := func(r *http.Request) bucket.Store {
		if a := r.Header.Get(bucket.ForHeader); a != "" {
			return c.buckets.For(a)
		}
		return c.buckets
	}
	object := bucket.Root + "/{bucket}/{key}"
	who := rest.Roles(pki.Cloudctl)
	s.Internal.Handle("PUT", bucket.Root+"/{bucket}", who, func(_ http.ResponseWriter, r *http.Request) error {
		return c.buckets.Make(r.Context(), rest.Var(r, "bucket"))
	})
	s.Internal.Handle("PUT", bucket.Root+"/{bucket}/{key:AWSLogs/.*}", who, c.files.put)
	s.Internal.Handle("PUT", object, who, func(_ http.ResponseWriter, r *http.Request) error {
		from, key, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("X-Amz-Copy-Source"), "/"), "/")
		_, err := as(r).Copy(r.Context(), bucket.Ref{Bucket: from, Key: key}, bucket.Ref{Bucket: rest.Var(r, "bucket"), Key: rest.Var(r, "key")})
		return err
	})
	s.Internal.Handle("DELETE", object, who, func(_ http.ResponseWriter, r *http.Request) error {
		return c.buckets.Delete(r.Context(), rest.Var(r, "bucket"), rest.Var(r, "key"))
	})
	get := func(w http.ResponseWriter, r *http.Request) error {
		body, o, err := as(r).Get(r.Context(), rest.Var(r, "bucket"), rest.Var(r, "key"), 0, -1)
		if err != nil {
			return err
		}
		defer body.Close()
		w.Header().Set("ETag", `"`+o.ETag+`"`)
		w.Header().Set("Content-Length", fmt.Sprint(o.Size))
		if r.Method == http.MethodHead {
			return nil
		}
		_, err = io.Copy(w, body)
		return err
	}
	s.Internal.Handle("GET", object, who, get)
	s.Internal.Handle("HEAD", object, who, get)
}

// ask sends a signed form to the public API, as often as it takes.
func (c *cloudTest) ask(form string) string {
	c.Helper()
	var out string
	c.persist(form, func() (err error) {
		out, err = c.try(form)
		if f := fault.Of(err); err != nil && f.Kind == fault.Invalid {
			c.Fatalf("%s: %v", form, err)
		}
		return err
	})
	return out
}

func (c *cloudTest) try(form string) (string, error) {
	version := "&Version=2016-11-15"
	r, err := http.NewRequestWithContext(c.Context(), http.MethodPost, "http://"+c.public+"/", strings.NewReader(form+version))
	if err != nil {
		return "", err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if err := sign.Request(r, c.keys, sign.Scope{Region: "us-east-1", Service: "ec2", At: time.Now()}, ""); err != nil {
		return "", err
	}
	return answer(http.DefaultClient.Do(r))
}

func answer(res *http.Response, err error) (string, error) {
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return "", err
	case res.StatusCode >= 500:
		return "", errors.New(string(b))
	case res.StatusCode >= 400:
		return "", fault.New(fault.Invalid, first(string(b), "Code"), "%s", b)
	}
	return string(b), nil
}

// first returns the text of the first element of that name, or "".
func first(body, element string) string {
	if m := regexp.MustCompile("<" + element + ">([^<]*)</" + element + ">").FindStringSubmatch(body); m != nil {
		return m[1]
	}
	return ""
}

// until asks until the answer has the piece.
func (c *cloudTest) until(form, piece string) {
	c.Helper()
	c.persist(form+" until "+piece, func() error {
		b, err := c.try(form)
		if err == nil && !strings.Contains(b, piece) {
			err = fmt.Errorf("no %s in %s", piece, b)
		}
		return err
	})
}

func values(kv ...string) string {
	v := url.Values{}
	for i := 0; i < len(kv); i += 2 {
		v.Set(kv[i], kv[i+1])
	}
	return v.Encode()
}
