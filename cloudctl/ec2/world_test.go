package ec2

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"karri/cloudctl/account"
	"karri/cloudctl/report"
	"karri/cloudctl/store"
	"karri/cloudctl/storetest"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
	"karri/shared/wire"
)

// A world is the EC2 door over a real store with one zone, room in it, and the
// accounts ann and bob. Requests come in as forms and answers go out as XML.
type world struct {
	*testing.T
	api      *API
	door     *action.Door
	accounts map[string]string // by name
	book     *account.Book
	image    string // of ann, ready to run
	nudges   int
}

const zoneA = "us-east-1a"

func newWorld(t *testing.T) *world {
	t.Helper()
	s, v, _ := storetest.Open(t)
	w := &world{T: t, accounts: map[string]string{}}
	w.api = &API{
		Store: s, Reports: &report.Latest{}, Clock: time.Now, Region: "us-east-1",
		Pool: []netip.Prefix{netip.MustParsePrefix("192.0.2.8/29")}, Nudge: func() { w.nudges++ },
	}
	w.tx(func(tx *store.Tx) error {
		return tx.Put(&store.Component{Name: zoneA + ".clusterctl.karri", Role: "clusterctl", Zone: zoneA, Address: "127.0.0.1:1", Joined: time.Now()})
	})
	w.book = &account.Book{Store: s, Vault: v, Clock: time.Now}
	for _, name := range []string{"ann", "bob"} {
		a, _, err := w.book.Create(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		w.accounts[name] = a.ID
	}
	w.report()
	img := &store.Image{
		ID: id.New[id.Image](nil), Account: w.accounts["ann"], Name: "base", Architecture: "x86_64", RootDevice: "/dev/sda1",
		Want: wire.Present, Created: time.Now(), Format: "qcow2", Bytes: 1 << 20, GiB: 1, Copied: true, SHA256: strings.Repeat("ab", 32),
	}
	w.image = string(img.ID)
	w.tx(func(tx *store.Tx) error { return tx.Add(img) })
	w.door = &action.Door{
		Services: []*action.Service{Catalog.With(w.api)}, Policy: action.OwnerOnly{}, Log: slog.New(slog.DiscardHandler),
		RequestID: func(*http.Request) string { return "req-1" }, Who: w.who,
	}
	return w
}

// report is a zone with room that was heard of just now.
func (w *world) report() {
	w.api.Reports.PutCluster(zoneA, wire.ClusterReport{Nodes: map[string]wire.Node{"n1": {
		Name: "n1", State: wire.Ready, Seen: time.Now(), Total: wire.Capacity{VCPUs: 64, MemoryMiB: 65536, DiskGiB: 1000},
	}}}, time.Now())
}

func (w *world) who(r *http.Request, _ string) (action.Caller, error) {
	a := w.accounts[r.Header.Get("Who")]
	if a == "" {
		return action.Caller{}, fault.New(fault.Denied, "AuthFailure", "No signature.")
	}
	return action.Caller{Account: a, ARN: account.RootARN(a), UserID: a}, nil
}

// limit lays a policy on ann's account.
func (w *world) limit(quota string, most int) {
	w.Helper()
	w.lay(w.accounts["ann"], quota, fmt.Sprintf(`"NumericLessThanEquals":{"%s":%d}`, quota, most))
}

// lay gives a user, group or role, or an account, a policy that limits.
func (w *world) lay(holder, name, condition string) {
	w.Helper()
	w.tx(func(tx *store.Tx) error {
		return tx.Put(&store.InlinePolicy{Holder: holder, Name: name, Account: w.accounts["ann"], Created: time.Now(),
			Document: `{"Version":"2012-10-17","Statement":{"Effect":"Limit","Action":"*","Resource":"*","Condition":{` + condition + `}}}`})
	})
}

func (w *world) tx(do func(*store.Tx) error) {
	w.Helper()
	if err := w.api.Store.InTx(w.Context(), do); err != nil {
		w.Fatal(err)
	}
}

// send sends a form such as "Action=DescribeVpcs&VpcId.1=vpc-1".
func (w *world) send(who, form string) (int, string) {
	w.Helper()
	if _, err := url.ParseQuery(form); err != nil {
		w.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form+"&Version=2016-11-15"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	r.Header.Set("Who", who)
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, r)
	return rec.Code, rec.Body.String()
}

// ask sends ann's form and returns the answer to it, which must be a good one.
func (w *world) ask(format string, args ...any) string {
	w.Helper()
	return w.askAs("ann", format, args...)
}

func (w *world) askAs(who, format string, args ...any) string {
	w.Helper()
	form := fmt.Sprintf(format, args...)
	status, body := w.send(who, form)
	if status != http.StatusOK {
		w.Fatalf("%s: %d %s", form, status, body)
	}
	return body
}

// refused sends ann's form, which must be answered by the code.
func (w *world) refused(code, format string, args ...any) {
	w.Helper()
	w.refusedAs("ann", code, format, args...)
}

func (w *world) refusedAs(who, code, format string, args ...any) {
	w.Helper()
	form := fmt.Sprintf(format, args...)
	if status, body := w.send(who, form); status < 400 || !strings.Contains(body, "<Code>"+code+"</Code>") {
		w.Errorf("%s: want %s, got %d %s", form, code, status, body)
	}
}

// all returns the texts of the elements of that name in an answer, in order.
func all(body, element string) []string {
	var out []string
	for _, m := range regexp.MustCompile("<"+element+">([^<]*)</"+element+">").FindAllStringSubmatch(body, -1) {
		out = append(out, m[1])
	}
	return out
}

// first returns the text of the first element of that name, or "".
func first(body, element string) string {
	if texts := all(body, element); len(texts) > 0 {
		return texts[0]
	}
	return ""
}

// shows checks that an answer has each of the pieces.
func (w *world) shows(body string, pieces ...string) {
	w.Helper()
	for _, p := range pieces {
		if !strings.Contains(body, p) {
			w.Errorf("no %s in %s", p, body)
		}
	}
}

// run starts one instance of ann's and returns its id and its interface's.
func (w *world) run(more string) (instance, eni string) {
	w.Helper()
	body := w.ask("Action=RunInstances&MinCount=1&MaxCount=1&InstanceType=t1.nano&ImageId=%s%s", w.image, more)
	return first(body, "instanceId"), first(body, "networkInterfaceId")
}
