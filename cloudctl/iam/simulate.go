package iam

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"karri/cloudctl/rights"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/identity"
	"karri/shared/policy"
)

// ContextEntry gives a condition key its values.
type ContextEntry struct {
	ContextKeyName   *string
	ContextKeyType   *string
	ContextKeyValues []string
}

// EvaluationResult is what the policies say of one action on one resource.
type EvaluationResult struct {
	EvalActionName                    string
	EvalDecision                      string
	EvalResourceName                  *string
	MatchedStatements                 []MatchedStatement
	MissingContextValues              []string
	PermissionsBoundaryDecisionDetail *BoundaryDetail
}

// MatchedStatement names the statement that decided.
type MatchedStatement struct {
	EndPosition      *Position
	SourcePolicyId   *string
	SourcePolicyType *string
	StartPosition    *Position
}

// Position is a place in a document.
type Position struct{ Column, Line int }

// BoundaryDetail says whether the boundary lets the action through.
type BoundaryDetail struct{ AllowedByPermissionsBoundary bool }

// SimulatePolicyOutput is a page of results.
type SimulatePolicyOutput struct {
	EvaluationResults []EvaluationResult
	IsTruncated       bool
	Marker            *string
}

// A simulation is a question that is put to policies without doing anything.
type simulation struct {
	actions, resources []string
	context            []ContextEntry
	caller             *string
	owner              *string
	resource           *string // the resource's policy

	who    *identity.Identity
	rights *identity.Rights
	own    *policy.Policy
	keys   map[string][]string
	asked  []string // keys that the policies ask for
}

// maxSimulated bounds actions times resources of one simulation.
const maxSimulated = 1000

// documents makes texts of a request policies of an identity.
func documents(name string, texts []string) (all []identity.Document, err error) {
	for i, text := range texts {
		if err := checkPolicy(text); err != nil {
			return nil, err
		}
		all = append(all, identity.Document{Name: fmt.Sprintf("%s.%d", name, i+1), Text: text})
	}
	return all, nil
}

// run evaluates each action on each resource.
func (s *simulation) run(ctx context.Context) (*SimulatePolicyOutput, error) {
	if len(s.resources) == 0 {
		s.resources = []string{"*"}
	}
	if len(s.actions)*len(s.resources) > maxSimulated {
		return nil, fault.New(fault.Invalid, "InvalidInput", "A simulation may ask for at most %d pairs of action and resource.", maxSimulated)
	}
	if err := s.prepare(); err != nil {
		return nil, err
	}
	type pair struct {
		n           int
		act, object string
	}
	var pairs []pair
	for _, act := range s.actions {
		for _, object := range s.resources {
			pairs = append(pairs, pair{len(pairs), act, object})
		}
	}
	pairs, next, err := action.Page(ctx, pairs, func(p pair) string { return fmt.Sprintf("%08d", p.n) })
	out := &SimulatePolicyOutput{EvaluationResults: []EvaluationResult{}, Marker: next, IsTruncated: next != nil}
	for _, p := range pairs {
		out.EvaluationResults = append(out.EvaluationResults, s.evaluate(p.act, p.object))
	}
	return out, err
}

// prepare compiles the policies and reads the keys.
func (s *simulation) prepare() (err error) {
	if s.rights, err = s.who.Compile(nil); err != nil {
		return malformed(err)
	}
	if arn := val(s.caller); arn != "" {
		s.rights.Principal.ARN = arn
		if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
			s.rights.Principal.Account = parts[4]
		}
	}
	if text := val(s.resource); text != "" {
		if s.own, err = policy.Parse([]byte(text), policy.Rules{Resource: true}); err != nil {
			return malformed(err)
		}
	}
	s.keys = map[string][]string{}
	for _, e := range s.context {
		s.keys[strings.ToLower(val(e.ContextKeyName))] = e.ContextKeyValues
	}
	s.asked = contextKeys(s.who.Documents())
	return nil
}

func (s *simulation) look(key string) []string {
	if v, ok := s.keys[key]; ok {
		return v
	}
	return s.rights.Key(key, time.Time{})
}

func (s *simulation) evaluate(act, object string) EvaluationResult {
	r := &policy.Request{Principal: s.rights.Principal, Action: act, Resource: object, Owner: s.rights.Principal.Account, Keys: s.look}
	if o := val(s.owner); o != "" {
		r.Owner = o
		if parts := strings.SplitN(o, ":", 6); len(parts) == 6 {
			r.Owner = parts[4]
		}
	}
	all := s.rights.Policies
	all.Resource = s.own
	d := policy.Evaluate(r, &all)
	out := EvaluationResult{
		EvalActionName: act, EvalResourceName: ptr(object), EvalDecision: "implicitDeny",
		MatchedStatements: []MatchedStatement{}, MissingContextValues: []string{},
	}
	switch {
	case d.Allowed:
		out.EvalDecision = "allowed"
	case d.Denied:
		out.EvalDecision = "explicitDeny"
	}
	if d.By != nil {
		out.MatchedStatements = append(out.MatchedStatements, s.matched(d))
	}
	for _, key := range s.asked {
		if len(s.look(strings.ToLower(key))) == 0 && !s.rights.Principal.Answers(strings.ToLower(key)) {
			out.MissingContextValues = append(out.MissingContextValues, key)
		}
	}
	if len(all.Boundary) > 0 {
		through := policy.Evaluate(r, &policy.Policies{Identity: all.Boundary})
		out.PermissionsBoundaryDecisionDetail = &BoundaryDetail{through.Allowed}
	}
	return out
}

// matched says where the statement that decided stands.
func (s *simulation) matched(d policy.Decision) MatchedStatement {
	m := MatchedStatement{SourcePolicyId: opt(d.By.Policy.Name), SourcePolicyType: ptr("none")}
	text := val(s.resource)
	if d.Source == policy.Resource {
		m.SourcePolicyType, m.SourcePolicyId = ptr("resource"), ptr("ResourcePolicy")
	}
	for _, doc := range s.who.Documents() {
		if d.Source == policy.Resource || doc.Name != d.By.Policy.Name {
			continue
		}
		text = doc.Text
		switch {
		case strings.HasPrefix(doc.ARN, "arn:aws:iam::aws:"):
			m.SourcePolicyType = ptr("aws-managed")
		case doc.ARN != "":
			m.SourcePolicyType = ptr("user-managed")
		case s.who.ID != "":
			m.SourcePolicyType = ptr(s.who.Kind)
		}
	}
	m.StartPosition, m.EndPosition = places(text, d.By.Index)
	return m
}

// places returns where a statement of a document begins and ends.
func places(text string, index int) (from, to *Position) {
	var doc struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(text), &doc) != nil {
		return nil, nil
	}
	start := strings.Index(text, string(doc.Statement))
	if start < 0 {
		return nil, nil
	}
	raw := doc.Statement
	if raw[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal(doc.Statement, &list) != nil || index >= len(list) {
			return nil, nil
		}
		for _, before := range list[:index+1] {
			start += strings.Index(text[start:], string(before)) + len(before)
		}
		raw = list[index]
		start -= len(raw)
	}
	return place(text, start), place(text, start+len(raw))
}

func place(text string, at int) *Position {
	before := text[:at]
	return &Position{Line: strings.Count(before, "\n") + 1, Column: at - strings.LastIndexByte(before, '\n')}
}

var variable = regexp.MustCompile(`\$\{\s*([A-Za-z0-9-]+:[^},\s]+)`)

// contextKeys returns the condition keys that documents ask for, in order.
func contextKeys(docs []identity.Document) []string {
	keys := []string{}
	for _, d := range docs {
		p, err := policy.Parse([]byte(d.Text), policy.Rules{Max: 1 << 17})
		if err != nil {
			continue
		}
		for _, s := range p.Statements {
			for _, c := range s.Conditions {
				keys = append(keys, c.Key)
			}
		}
		for _, m := range variable.FindAllStringSubmatch(d.Text, -1) {
			keys = append(keys, m[1])
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return slices.CompactFunc(keys, strings.EqualFold)
}

// source returns the user, group or role that an ARN of the account names, with
// all of its policies.
func source(tx *store.Tx, account, arn string) (*identity.Identity, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "iam" {
		return nil, fault.New(fault.Invalid, "InvalidInput", "Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	kind, _, _ := strings.Cut(parts[5], "/")
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	none := fault.New(fault.Missing, "NoSuchEntity", "The entity %s cannot be found.", arn)
	if parts[4] != account {
		return nil, none
	}
	a, err := tx.Account(account)
	if err != nil {
		return nil, err
	}
	var i *identity.Identity
	switch kind {
	case "user":
		u, err := tx.User(account, name)
		if err != nil {
			return nil, err
		}
		i, err = rights.User(tx, a, u)
		if err != nil {
			return nil, err
		}
	case "group":
		g, err := tx.UserGroup(account, name)
		if err != nil {
			return nil, err
		}
		if i, err = rights.Group(tx, a, g); err != nil {
			return nil, err
		}
	case "role":
		r, err := tx.RoleByARN(arn)
		if err != nil {
			return nil, err
		}
		if i, err = rights.Role(tx, a, r); err != nil {
			return nil, err
		}
	default:
		return nil, fault.New(fault.Invalid, "InvalidInput", "Invalid Entity Arn: %s does not clearly define entity type and name.", arn)
	}
	return i, nil
}

// onSource is the On of an action on what an ARN names.
func onSource[In any](arn func(in *In) string) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	return func(_ context.Context, _ *API, who action.Caller, in *In) ([]action.Resource, error) {
		return []action.Resource{{ARN: arn(in), Owner: who.Account}}, nil
	}
}
