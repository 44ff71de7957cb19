package standing

import (
	"context"
	_ "embed"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	accounts "karri/cloudctl/account"
	"karri/cloudctl/admin"
	"karri/cloudctl/cloudtrail"
	"karri/cloudctl/ec2"
	ourIAM "karri/cloudctl/iam"
	"karri/cloudctl/managed"
	"karri/cloudctl/report"
	"karri/cloudctl/rights"
	"karri/cloudctl/servicequotas"
	"karri/cloudctl/store"
	"karri/cloudctl/storetest"
	ourSTS "karri/cloudctl/sts"
	"karri/cloudctl/vault"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/identity"
)

// The matrix says of every action who may do it: by class of action, and which
// class each action is of. It is written by hand.
//
//go:embed testdata/matrix.txt
var matrix string

// A grid is the matrix as it is read.
type grid struct {
	columns []string
	classes map[string][]string
	class   map[string]string // by action: ec2:RunInstances
}

func readMatrix(t *testing.T, text string) *grid {
	t.Helper()
	g := &grid{classes: map[string][]string{}, class: map[string]string{}}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 0 || strings.HasPrefix(f[0], "#"):
		case f[0] == "class":
			g.columns = f[1:]
		case strings.HasPrefix(f[0], "="):
			if len(f) != len(g.columns)+1 {
				t.Fatalf("%q has not %d columns", line, len(g.columns))
			}
			g.classes[f[0][1:]] = f[1:]
		default:
			for _, name := range f[1:] {
				if g.class[name] != "" {
					t.Fatalf("%s stands there twice", name)
				}
				g.class[name] = strings.TrimSuffix(f[0], ":")
			}
		}
	}
	return g
}

const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
const nothing = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`

// callers returns who asks, by column; nil is a request without a signature.
func callers(t *testing.T) map[string]*identity.Rights {
	t.Helper()
	doc := func(texts ...string) (all []identity.Document) {
		for _, text := range texts {
			if p := managed.Of(text); p != nil {
				text = p.Document
			}
			all = append(all, identity.Document{Name: "p", Text: text})
		}
		return all
	}
	user := func(policies ...string) *identity.Identity {
		return &identity.Identity{Kind: identity.User, Account: account, Name: "u", ARN: "arn:aws:iam::" + account + ":user/u", ID: "AIDAU", Policies: doc(policies...)}
	}
	const readOnly = managed.Prefix + "ReadOnlyAccess"
	bounded, session := user(everything), user(everything)
	bounded.Boundary = doc(readOnly)
	session.Kind, session.ID, session.ARN, session.Role = identity.Role, "AROAR:s", "arn:aws:sts::"+account+":assumed-role/r/s", "arn:aws:iam::"+account+":role/r"
	session.Session = doc(readOnly)
	instance := user(managed.Prefix + "AmazonS3ReadOnlyAccess")
	instance.Kind, instance.ID, instance.ARN, instance.Role = identity.Role, "AROAW:i", "arn:aws:sts::"+account+":assumed-role/web/i-1a2b3c4d5e6f70819", "arn:aws:iam::"+account+":role/web"
	who := map[string]*identity.Rights{}
	for column, i := range map[string]*identity.Identity{
		"owner": identity.RootOf(account, false), "other": identity.RootOf("999988887777", false), "none": user(), "reader": user(readOnly),
		"denied": user(everything, nothing), "bounded": bounded, "session": session, "role": instance, "admin": identity.RootOf("100000000001", true),
	} {
		r, err := i.Compile(nil)
		if err != nil {
			t.Fatal(err)
		}
		who[column] = r
	}
	return who
}

// foreign decides as if all that is asked for were of the first account.
type foreign struct{ action.Policy }

// Allow implements action.Policy.
func (f foreign) Allow(ctx context.Context, ask *action.Ask) error {
	on := slices.Clone(ask.On)
	for i := range on {
		if on[i].Owner == ask.Who.Account {
			on[i].Owner = account
		}
	}
	again := *ask
	again.On = on
	return f.Policy.Allow(ctx, &again)
}

// theCloud is every service over a real database with the first account in it.
func theCloud(t *testing.T) ([]*action.Service, *vault.Vault) {
	t.Helper()
	s, v, _ := storetest.Open(t)
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.Put(&store.Account{ID: account, Name: "ann", State: store.AccountActive, Created: time.Now()}); err != nil {
			return err
		}
		return tx.Put(&store.User{ID: "AIDAU", Account: account, Name: "u", Folded: "u", Path: "/", Tags: store.Labels{}, Created: time.Now()})
	})
	if err != nil {
		t.Fatal(err)
	}
	book := &accounts.Book{Store: s, Vault: v, Clock: time.Now}
	run := func(*action.Action, action.Caller, any) (any, error) { return nil, errReached }
	return []*action.Service{
		ec2.Catalog.Stage(&ec2.API{Store: s, Reports: &report.Latest{}, Clock: time.Now, Region: region, Pool: []netip.Prefix{netip.MustParsePrefix("192.0.2.8/29")}, Nudge: func() {}}, run),
		ourIAM.Catalog.Stage(&ourIAM.API{Store: s, Accounts: book, Vault: v, Clock: time.Now, Managed: managed.Policies{}}, run),
		ourSTS.Catalog.Stage(&ourSTS.API{Store: s, Vault: v, Clock: time.Now, Sessions: book.Sessions()}, run),
		cloudtrail.Catalog.Stage(&cloudtrail.API{Store: s, Region: region, Clock: time.Now}, run),
		servicequotas.Catalog.Stage(&servicequotas.API{Store: s, Clock: time.Now, Region: region}, run),
		admin.Catalog.Stage(&admin.API{Accounts: book, Reports: &report.Latest{}, Region: region, Clock: time.Now}, run),
	}, v
}

var errReached = fault.New(fault.Conflict, "Reached", "The action would have run.")

// outcome asks one action as it stands in the manual. What is let in may find
// that there is nothing: that is not the policies' matter.
func outcome(t *testing.T, s *action.Service, name string, who *identity.Rights, p action.Policy) string {
	t.Helper()
	caller := action.Caller{Account: who.Identity.Account, ARN: who.Identity.ARN, UserID: who.Identity.ID, Rights: who, Admin: who.Admin()}
	_, _, _, err := s.Example(t.Context(), caller, p, name)
	switch f := fault.Of(err); {
	case f.Code == "UnauthorizedOperation" || f.Code == "AccessDenied" || f.Code == "AccessDeniedException":
		return "no"
	case f.Kind == fault.Broken:
		t.Errorf("%s: %v", name, err)
	}
	return "yes"
}

func TestWhoMayDoWhat(t *testing.T) {
	g, who := readMatrix(t, matrix), callers(t)
	services, v := theCloud(t)
	policy := &rights.Policy{Vault: v}
	seen := map[string]bool{}
	for _, s := range services {
		for _, c := range s.Actions() {
			name := s.Name + ":" + c.Name
			seen[name] = true
			row := g.classes[g.class[name]]
			if row == nil {
				t.Errorf("%s is in no class: say in testdata/matrix.txt who may do it", name)
				continue
			}
			for i, column := range g.columns {
				got := "no" // without a signature nobody is asked
				switch {
				case c.Unsigned:
					got = "yes"
				case column == "anonymous" || column == "node" || column == "cluster": // a component has no access key
				case column == "other":
					got = outcome(t, s, c.Name, who[column], foreign{policy})
				default:
					got = outcome(t, s, c.Name, who[column], policy)
				}
				if got != row[i] {
					t.Errorf("%s (%s) by %s: %s, want %s", name, g.class[name], column, got, row[i])
				}
			}
		}
	}
	for name := range g.class {
		if !seen[name] && !strings.HasPrefix(name, "s3:") {
			t.Errorf("%s is in the matrix, but there is no such action", name)
		}
	}
	if len(seen) < 200 {
		t.Error(fmt.Sprint(len(seen), " actions only"))
	}
}
