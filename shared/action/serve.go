package action

import (
	"cmp"
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"

	"karri/shared/audit"
	"karri/shared/awsmodel"
	"karri/shared/fault"
	"karri/shared/protocol"
)

// A Service is a catalog with the world that its actions work on.
type Service struct {
	Name    string
	Model   *awsmodel.Service
	actions map[string]*Action
	codes   map[string]string
	world   any
}

// With returns the service that c's actions make of w.
func (c *Catalog[W]) With(w W) *Service {
	return &Service{Name: c.Service, Model: c.Model, actions: c.actions, codes: c.Codes, world: w}
}

// A Request is a parsed request for one action.
type Request struct {
	Action  string
	Version string
	Dialect protocol.Dialect
	Params  *protocol.Node
	Facts   Facts
}

// dryRunOperation is how a request that only asked whether it would succeed is
// told that it would.
var dryRunOperation = fault.New(fault.Conflict, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")

// find returns the named action, or the fault of its absence: UnsupportedOperation
// for one that the real service has, InvalidAction for a name that nobody knows.
func (s *Service) find(name string) (*Action, error) {
	if name == "" {
		return nil, fault.New(fault.Invalid, "MissingAction", "The request must contain the parameter Action.")
	}
	if a := s.actions[name]; a != nil {
		return a, nil
	}
	if s.Model.Known[name] {
		return nil, fault.New(fault.Invalid, "UnsupportedOperation", "Karri does not serve the action %s.", name)
	}
	return nil, fault.New(fault.Invalid, "InvalidAction", "The action %s is not valid for this web service.", name)
}

// Do decodes the request, checks what the caller may, and runs the action. What
// is wrong with the request is found before anything is looked up, and nothing
// is changed before the policy has allowed it.
func (s *Service) Do(ctx context.Context, who Caller, p Policy, r Request) (a *Action, on []Resource, out any, err error) {
	if a, err = s.find(r.Action); err != nil {
		return nil, nil, nil, err
	}
	in := reflect.New(a.In)
	dry, err := a.decode(r, in)
	if err == nil && a.List != nil {
		ctx, err = a.narrow(ctx, who, in.Elem())
	}
	if err != nil {
		return a, nil, nil, s.own(err)
	}
	if a.Told() {
		audit.Asked(ctx, in.Interface())
	}
	on, err = a.on(ctx, s.world, who, in.Interface())
	if err != nil && (fault.KindOf(err) != fault.Missing || who.Rights == nil) {
		return a, on, nil, err
	}
	if len(on) == 0 { // what names nothing is still asked for
		on = []Resource{{ARN: "*", Owner: who.Account}}
	}
	ask := &Ask{Who: who, Service: s.Name, Permission: s.Name + ":" + a.Name, On: on, Facts: r.Facts, Tags: tagsOf(in.Elem())}
	if refused := p.Allow(ctx, ask); refused != nil {
		return a, on, nil, refused
	}
	if err != nil { // only who may use it is told that it is not there
		return a, on, nil, err
	}
	if dry {
		return a, on, nil, dryRunOperation
	}
	out, err = a.run(ctx, s.world, who, in.Interface())
	if err == nil && a.Told() {
		audit.Answered(ctx, out)
	}
	return a, on, out, err
}

// own gives the fault of a parameter the code that the service has for all such:
// the query services, EC2 apart, do not tell one from another.
func (s *Service) own(err error) error {
	f := fault.Of(err)
	if s.Model.Protocol != "query" || f.Kind != fault.Invalid || f.Code == "UnsupportedOperation" {
		return err
	}
	c := *f
	c.Code = "ValidationError"
	return &c
}

// decode fills in and reports whether the request is a dry run.
func (a *Action) decode(r Request, in reflect.Value) (dry bool, err error) {
	if a.Op.Input.Member("DryRun") != nil {
		text, given := r.Params.Take("DryRun")
		dry = strings.EqualFold(text, "true")
		if given && !dry && !strings.EqualFold(text, "false") {
			return false, fault.New(fault.Invalid, "InvalidParameterValue", "Value (%.20q) for parameter DryRun is invalid. It is neither true nor false.", text)
		}
	}
	d := protocol.Decoder{Dialect: r.Dialect, Lenient: r.Dialect == protocol.Query || r.Dialect == protocol.AWSJSON, Harmless: isHarmless}
	return dry, d.Decode(a.Request, r.Params, in.Interface())
}

// narrow checks the filters and notes the page for Page.
func (a *Action) narrow(ctx context.Context, who Caller, in reflect.Value) (context.Context, error) {
	if f := in.FieldByName("Filters"); f.IsValid() && !a.List.anyFilter {
		if err := CheckFilters(f.Interface().([]Filter), a.List.Filters); err != nil {
			return nil, err
		}
	}
	p, err := a.pagerOf(who.Account, in)
	if err != nil {
		return nil, err
	}
	return context.WithValue(ctx, pagerKey{}, p), nil
}

// dialect returns that of form requests to the service.
func (s *Service) dialect() protocol.Dialect {
	if s.Model.Protocol == "ec2" {
		return protocol.EC2
	}
	return protocol.Query
}

// namespace returns that of answers: EC2's is the asked version's, with the
// final slash, without which one well-known client reads nothing.
func (s *Service) namespace(version string) string {
	if s.Model.Protocol == "ec2" {
		return "http://ec2.amazonaws.com/doc/" + cmp.Or(version, s.Model.Version) + "/"
	}
	return s.Model.Namespace
}

// Rehearse returns a service with the same definitions, in which run takes the
// place of every action and nothing is looked up: each request is decoded,
// decided with the caller's own account as owner, and answered with what run
// returns, a pointer to the action's Out. It is for standing tests over all
// actions, which have no world.
func (c *Catalog[W]) Rehearse(run func(a *Action, who Caller, in any) (any, error)) *Service {
	s := &Service{Name: c.Service, Model: c.Model, actions: map[string]*Action{}, codes: c.Codes}
	for name, a := range c.actions {
		b := *a
		b.on = func(_ context.Context, _ any, who Caller, _ any) ([]Resource, error) {
			return []Resource{{ARN: "*", Owner: who.Account}}, nil
		}
		b.run = func(_ context.Context, _ any, who Caller, in any) (any, error) { return run(a, who, in) }
		s.actions[name] = &b
	}
	return s
}

// Stage returns a service of w in which run takes the place of every action:
// each request names its resources and is decided as ever, and goes no further.
// It is for standing tests of who may do what.
func (c *Catalog[W]) Stage(w W, run func(a *Action, who Caller, in any) (any, error)) *Service {
	s := c.With(w)
	s.actions = map[string]*Action{}
	for name, a := range c.actions {
		b := *a
		b.run = func(_ context.Context, _ any, who Caller, in any) (any, error) { return run(a, who, in) }
		s.actions[name] = &b
	}
	return s
}

// Actions returns the service's actions by name.
func (s *Service) Actions() []*Action {
	var all []*Action
	for _, name := range slices.Sorted(maps.Keys(s.actions)) {
		all = append(all, s.actions[name])
	}
	return all
}

// Example asks the named action for what its example asks for.
func (s *Service) Example(ctx context.Context, who Caller, p Policy, name string) (a *Action, on []Resource, out any, err error) {
	if a, err = s.find(name); err != nil {
		return nil, nil, nil, err
	}
	return s.Ask(ctx, who, p, name, a.Example)
}

// Ask asks the named action for what in, of its type, says.
func (s *Service) Ask(ctx context.Context, who Caller, p Policy, name string, in any) (a *Action, on []Resource, out any, err error) {
	if a, err = s.find(name); err != nil {
		return nil, nil, nil, err
	}
	b, err := a.Request.JSON(in)
	if err != nil {
		return a, nil, nil, err
	}
	params, err := protocol.ParseJSON(b)
	if err != nil {
		return a, nil, nil, err
	}
	return s.Do(ctx, who, p, Request{Action: name, Dialect: protocol.JSON, Params: params})
}
