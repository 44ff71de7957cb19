package ec2

import (
	"encoding/json"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/protocol"
)

var anID = regexp.MustCompile(`\b([a-z]+(?:-attach)?)-[0-9a-f]{17}\b`)

// furnish gives ann one thing of each kind that there is an action for.
func (w *world) furnish() {
	w.Helper()
	instance, _ := w.run("")
	for _, step := range []string{
		"Action=CreateKeyPair&KeyName=k",
		"Action=CreateSecurityGroup&GroupName=web&GroupDescription=x",
		"Action=AuthorizeSecurityGroupIngress&GroupName=web&IpProtocol=tcp&FromPort=80&ToPort=81&CidrIp=0.0.0.0/0",
		"Action=AllocateAddress",
		"Action=CreateVolume&Size=1&AvailabilityZone=" + zoneA,
		"Action=CreateTags&Tag.1.Key=a&Tag.1.Value=b&ResourceId.1=" + instance,
	} {
		name, _, _ := strings.Cut(strings.TrimPrefix(step, "Action="), "&")
		if known(name) {
			w.ask("%s", strings.ReplaceAll(step, "%", "%%"))
		}
	}
}

func known(name string) bool {
	for _, a := range Catalog.All() {
		if a.Name == name {
			return true
		}
	}
	return false
}

// idsOf returns, by prefix, an id of each kind that any Describe shows.
func (w *world) idsOf(who string) map[string]string {
	w.Helper()
	ids := map[string]string{}
	for _, a := range Catalog.All() {
		if !strings.HasPrefix(a.Name, "Describe") || a.Empty || requires(a) {
			continue
		}
		for _, m := range anID.FindAllStringSubmatch(w.askAs(who, "Action=%s", a.Name), -1) {
			ids[m[1]] = m[0]
		}
	}
	return ids
}

func requires(a *action.Action) bool {
	for _, m := range a.Op.Input.Members {
		if m.Required {
			return true
		}
	}
	return false
}

// holdings is all that an account has, as text: the answer of each question of
// the store that takes an account.
func (w *world) holdings(account string) string {
	w.Helper()
	var all []any
	err := w.api.Store.View(w.Context(), func(tx *store.Tx) error {
		v := reflect.ValueOf(tx)
		for i := range v.NumMethod() {
			m := v.Type().Method(i)
			one := m.Type.NumIn() == 2 && m.Type.In(1).Kind() == reflect.String && m.Type.In(1).PkgPath() == ""
			if !strings.HasSuffix(m.Name, "Of") || !one {
				continue
			}
			out := v.Method(i).Call([]reflect.Value{reflect.ValueOf(account)})
			if err, failed := out[len(out)-1].Interface().(error); failed {
				return err
			}
			all = append(all, m.Name, out[0].Interface())
		}
		return nil
	})
	text, merr := json.Marshal(all)
	if err != nil || merr != nil {
		w.Fatal(err, merr)
	}
	return string(text)
}

// with returns the action's example as a form, each id replaced by what
// replace answers for its prefix, and whether there was any.
func with(t *testing.T, a *action.Action, replace func(prefix, old string) string) (string, bool) {
	t.Helper()
	form, err := a.Request.Form(protocol.EC2, a.Example)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for name, values := range form {
		form[name] = []string{anID.ReplaceAllStringFunc(values[0], func(old string) string {
			prefix := old[:strings.LastIndexByte(old, '-')]
			now := replace(prefix, old)
			found = found || now != old
			return now
		})}
	}
	return "Action=" + a.Name + "&" + url.Values(form).Encode(), found
}

// What ann has is to bob as if it were not there: every action, asked with
// ann's ids in the place of those of its example, answers bob exactly what it
// answers for ids that nobody has, and changes nothing of ann's.
func TestWhatBelongsToAnotherIsNotThere(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	hers := w.idsOf("ann")
	for _, kind := range []string{"i", "ami", "vpc", "subnet", "sg", "eni"} {
		if hers[kind] == "" {
			t.Fatalf("ann has no %s", kind)
		}
	}
	before, tried := w.holdings(w.accounts["ann"]), 0
	for _, a := range Catalog.All() {
		form, any := with(t, a, func(prefix, old string) string {
			if hers[prefix] != "" {
				return hers[prefix]
			}
			return old
		})
		if !any {
			continue
		}
		tried++
		nobodys, _ := with(t, a, func(prefix, _ string) string { return prefix + "-00000000000000000" })
		status, body := w.send("bob", form)
		status2, body2 := w.send("bob", nobodys)
		if a.Reads() && status == 200 && body == body2 {
			continue // a filter found nothing
		}
		if status != status2 || first(body, "Code") != first(body2, "Code") || status == 200 {
			t.Errorf("%s with what is ann's: %d %s; with what is nobody's: %d %s", a.Name, status, body, status2, body2)
		}
		if code := first(body, "Code"); !strings.Contains(code, "NotFound") {
			t.Errorf("%s: an unknown id is answered by %s", a.Name, code)
		}
		if now := w.holdings(w.accounts["ann"]); now != before {
			t.Fatalf("%s by bob changed what ann has from\n%s to\n%s", a.Name, before, now)
		}
	}
	if tried < 5 {
		t.Errorf("only %d actions name anything", tried)
	}
}

func TestNobodySeesAnothersThings(t *testing.T) {
	w := newWorld(t)
	w.furnish()
	hers := w.idsOf("ann")
	for prefix, id := range w.idsOf("bob") {
		if hers[prefix] == id {
			t.Errorf("bob sees ann's %s", id)
		}
	}
	for _, a := range Catalog.All() {
		if !strings.HasPrefix(a.Name, "Describe") || a.Empty || requires(a) {
			continue
		}
		if body := w.askAs("bob", "Action=%s", a.Name); strings.Contains(body, w.accounts["ann"]) {
			t.Errorf("%s shows bob something of ann's: %s", a.Name, body)
		}
	}
}
