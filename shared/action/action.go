// Package action lets a daemon define each thing that it can be asked once.
//
// A Def holds the name, the sentence of the manual, an example, the resources
// that the caller must be allowed to use, and the function that does the work.
// The route, the decoder and encoder of every protocol, the check of each
// parameter against the public model, the permission, DryRun, the audit line,
// the manual page, the command of tools/karri and the standing tests all come
// from it.
//
// An action writes down what is wanted in one transaction and answers; nothing
// here keeps state, so a crash loses a connection and no more.
package action

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"karri/shared/awsmodel"
	"karri/shared/identity"
	"karri/shared/policy"
	"karri/shared/protocol"
)

// A Caller is the verified sender of a request.
type Caller struct {
	Account   string // twelve digits; everything a caller makes belongs to it
	ARN       string
	UserID    string
	AccessKey string // id only
	Admin     bool   // may do all, in every account
	RequestID string
	SourceIP  string

	Rights *identity.Rights // nil: of nobody that has policies
}

// A Resource is something that a request would use, with all that a policy
// needs to decide about it.
type Resource struct {
	ARN    string
	Owner  string // account; Cloud for what belongs to the cloud itself
	Public bool   // anyone may use it as the action does
	Tags   map[string]string

	Keys       map[string][]string // condition keys of the service: ec2:InstanceType; as documented
	Permission string              // that is asked for instead of the action's own: iam:PassRole
	Policy     *policy.Policy      // of the resource itself: whom a role trusts
	Trust      bool                // that policy must allow it too, within the account as well
	Free       bool                // whoever has a good key may, whatever policies say
}

// Cloud is the account that owns what belongs to no user.
const Cloud = "000000000000"

// A List says how a Describe action narrows and pages its answer.
type List struct {
	Filters []string // names that Filter.N.Name may have; "tag" stands for tag:KEY and tag-key
	Min     int      // of MaxResults; 0 means what the model says, else 5, as in most of EC2
	Max     int      // of MaxResults; 0 means what the model says, else 1000
	Default int      // page length when MaxResults is absent; 0 means all, in IAM 100

	anyFilter bool
}

// bounds settles Min and Max by the model's parameter, which may be nil.
func (l *List) bounds(m *awsmodel.Member) {
	least, most := 5.0, 1000.0
	if m != nil && m.Shape.Min != nil {
		least = *m.Shape.Min
	}
	if m != nil && m.Shape.Max != nil {
		most = *m.Shape.Max
	}
	l.Min, l.Max = cmp.Or(l.Min, int(least)), cmp.Or(l.Max, int(most))
}

// A Def defines one action of a daemon whose dependencies are W.
//
// In holds the parameters that the action honours: exported fields named as the
// members of the public model with the first letter raised; optional numbers
// and truth values are pointers. A List action has the fields Filters
// []action.Filter, MaxResults *int and NextToken *string where the model has
// them, and NextToken *string in Out (in IAM: MaxItems *int and Marker *string,
// and Marker *string in Out); Run narrows with Match or Select and pages with
// Page. DryRun is no field: the catalog sees to it.
type Def[W, In, Out any] struct {
	Name    string // as the caller writes it: RunInstances
	Doc     string // one sentence for the manual
	Example In     // a request that decodes; shown in the manual, run by the tests

	// On returns the resources that the caller must be allowed to use. A
	// resource that the caller must not know of is the fault that the action
	// answers for a missing one (InvalidVolume.NotFound). Own[W, In] is for an action
	// that touches only what Run itself selects by the caller's account.
	On func(ctx context.Context, w W, who Caller, in *In) ([]Resource, error)

	// List is compulsory for Describe actions and for what has a Marker.
	List *List

	// Unsigned says that requests need no signature, which is not looked at:
	// the Caller has no account, and Run finds out who asks by what the request
	// holds.
	Unsigned bool

	Run func(ctx context.Context, w W, who Caller, in *In) (*Out, error)
}

// Nothing is the answer of an action that has nothing to say.
type Nothing struct{}

// Own is the On of an action that touches only what belongs to the caller by
// construction: a Describe that selects by account, a Create without parents.
func Own[W, In any](_ context.Context, _ W, who Caller, _ *In) ([]Resource, error) {
	return []Resource{{ARN: "*", Owner: who.Account}}, nil
}

// Everyone is the On of an action that reads what is the same for all callers:
// regions, instance types.
func Everyone[W, In any](context.Context, W, Caller, *In) ([]Resource, error) {
	return []Resource{{ARN: "*", Owner: Cloud, Public: true}}, nil
}

// Anyone is the On of an action that needs no permission but a good key.
func Anyone[W, In any](context.Context, W, Caller, *In) ([]Resource, error) {
	return []Resource{{ARN: "*", Owner: Cloud, Public: true, Free: true}}, nil
}

// AdminOnly is the On of an action that is the administrator's alone.
func AdminOnly[W, In any](context.Context, W, Caller, *In) ([]Resource, error) {
	return []Resource{{ARN: "*", Owner: Cloud}}, nil
}

// An Action is a Def with its types hidden, as the server sees it.
type Action struct {
	Name     string
	Doc      string
	Example  any          // of type In
	In, Out  reflect.Type // structs
	List     *List
	File     string // source file of the definition, for the standing tests
	Unsigned bool
	Empty    bool // made by Empty: reads a feature that Karri has not
	Op       *awsmodel.Operation

	Request *protocol.Plan // of In
	Answer  *protocol.Plan // of Out; nil when the model has no answer

	on  func(ctx context.Context, w any, who Caller, in any) ([]Resource, error)
	run func(ctx context.Context, w any, who Caller, in any) (any, error)
}

// A Catalog is the set of actions behind one door, e.g. all of EC2.
type Catalog[W any] struct {
	Service string // permission prefix: "ec2"
	Model   *awsmodel.Service
	// Codes, when there, names what the service calls the faults of this package
	// and of signatures, where its public protocol is JSON: its own word for
	// InvalidParameterValue, say. What is not there has the usual name (codes.go).
	Codes   map[string]string
	actions map[string]*Action
}

// NewCatalog returns an empty catalog of a public service. A nil model makes a
// catalog of Karri's own actions, whose shapes are those of the Go types and
// which speak JSON and the query protocol.
func NewCatalog[W any](service string, model *awsmodel.Service) *Catalog[W] {
	if model == nil {
		model = &awsmodel.Service{
			Name: service, Version: "2026-11-21", Protocol: "json", Namespace: "https://karri/" + service + "/",
			Operations: map[string]*awsmodel.Operation{}, Known: map[string]bool{},
		}
	}
	return &Catalog[W]{Service: service, Model: model, actions: map[string]*Action{}}
}

// Add puts d into c. It runs while the program starts, so a definition that is
// incomplete or does not match the model stops the daemon before it listens.
func Add[W, In, Out any](c *Catalog[W], d Def[W, In, Out]) *Action {
	_, file, _, _ := runtime.Caller(1)
	a := &Action{
		Name: d.Name, Doc: d.Doc, Example: d.Example, List: d.List, Unsigned: d.Unsigned, File: file,
		In: reflect.TypeFor[In](), Out: reflect.TypeFor[Out](),
	}
	if d.On == nil || d.Run == nil {
		panic(fmt.Sprintf("action %s: has no On or no Run", d.Name))
	}
	a.on = func(ctx context.Context, w any, who Caller, in any) ([]Resource, error) {
		return d.On(ctx, w.(W), who, in.(*In))
	}
	a.run = func(ctx context.Context, w any, who Caller, in any) (any, error) {
		out, err := d.Run(ctx, w.(W), who, in.(*In))
		if out == nil && err == nil {
			out = new(Out)
		}
		return out, err
	}
	c.add(a)
	return a
}

func (c *Catalog[W]) add(a *Action) {
	if c.actions[a.Name] != nil {
		panic(fmt.Sprintf("action %s: defined twice", a.Name))
	}
	if a.Op = c.Model.Operations[a.Name]; c.Model.Target == "" && c.Model.Protocol == "json" {
		a.Op = &awsmodel.Operation{Name: a.Name, Input: protocol.ShapeOf(a.In), Output: protocol.ShapeOf(a.Out)}
	}
	if err := a.check(); err != nil {
		panic(fmt.Sprintf("action %s: %v", a.Name, err))
	}
	c.actions[a.Name] = a
}

// All returns the actions in order of name.
func (c *Catalog[W]) All() []*Action {
	var all []*Action
	for _, name := range slices.Sorted(maps.Keys(c.actions)) {
		all = append(all, c.actions[name])
	}
	return all
}

// check holds a against the model and the rules of definitions.
func (a *Action) check() (err error) {
	switch {
	case a.Op == nil:
		return fmt.Errorf("the model has no such action; tools/awsmodel keeps those that its lists name")
	case !strings.HasSuffix(a.Doc, "."):
		return fmt.Errorf("Doc is no sentence: %q", a.Doc)
	case strings.HasPrefix(a.Name, "Describe") && a.List == nil:
		return fmt.Errorf("a Describe needs a List: its filters and page bound")
	case a.In.Kind() != reflect.Struct || a.Out.Kind() != reflect.Struct:
		return fmt.Errorf("In and Out must be structs")
	}
	if a.Request, err = protocol.For(a.Op.Input, a.In, protocol.Request); err != nil {
		return err
	}
	if a.Op.Output == nil {
		if a.Out.NumField() > 0 {
			return fmt.Errorf("the model has no answer, but %v has fields", a.Out)
		}
		return a.checkList()
	}
	if a.Answer, err = protocol.For(a.Op.Output, a.Out, protocol.Answer); err != nil {
		return err
	}
	return a.checkList()
}

// checkList sees that a List action can be narrowed and paged where the model
// says so.
func (a *Action) checkList() error {
	marker := a.Op.Input.Member("Marker")
	if a.List == nil {
		if marker != nil {
			return fmt.Errorf("an action with a Marker needs a List")
		}
		return nil
	}
	l := *a.List
	l.bounds(cmp.Or(a.Op.Input.Member("MaxResults"), a.Op.Input.Member("MaxItems")))
	if marker != nil {
		l.Default = cmp.Or(l.Default, 100)
	}
	if a.List = &l; a.Empty {
		return nil
	}
	for name, t := range map[string]reflect.Type{
		"Filters": reflect.TypeFor[[]Filter](), "MaxResults": reflect.TypeFor[*int](), "NextToken": reflect.TypeFor[*string](),
		"MaxItems": reflect.TypeFor[*int](), "Marker": reflect.TypeFor[*string](),
	} {
		f, has := a.In.FieldByName(name)
		if a.Op.Input.Member(name) != nil && !has || has && f.Type != t {
			return fmt.Errorf("%v needs a field %s %v", a.In, name, t)
		}
	}
	for _, token := range []string{"NextToken", "Marker"} {
		if a.Op.Output != nil && a.Op.Output.Member(token) != nil {
			if f, has := a.Out.FieldByName(token); !has || f.Type != reflect.TypeFor[*string]() {
				return fmt.Errorf("%v needs a field %s *string", a.Out, token)
			}
		}
	}
	if _, has := a.In.FieldByName("Filters"); !has && len(a.List.Filters) > 0 {
		return fmt.Errorf("%v has no Filters, but the List names some", a.In)
	}
	return nil
}
