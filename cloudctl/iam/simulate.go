package iam

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

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
	EvalDecisionDetails               map[string]string // across accounts: what each side says
	EvalResourceName                  *string
	MatchedStatements                 []MatchedStatement
	MissingContextValues              []string
	PermissionsBoundaryDecisionDetail *BoundaryDetail
	ResourceSpecificResults           []ResourceSpecificResult // the same, when resources are named
}

// ResourceSpecificResult is what they say of one resource.
type ResourceSpecificResult struct {
	EvalDecisionDetails               map[string]string
	EvalResourceDecision              string
	EvalResourceName                  string
	MatchedStatements                 []MatchedStatement
	MissingContextValues              []string
	PermissionsBoundaryDecisionDetail *BoundaryDetail
}

// MatchedStatement names a statement that decided.
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
	texts  map[*policy.Policy]identity.Document
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
	for _, act := range s.actions {
		if service, name, ok := strings.Cut(act, ":"); !ok || service == "" || name == "" || strings.ContainsAny(act, "*? ") {
			return fault.New(fault.Invalid, "InvalidInput", "Invalid action name %.130q: it is SERVICE:Action, without wildcards.", act)
		}
	}
	s.texts = map[*policy.Policy]identity.Document{}
	if s.rights, err = s.who.Compile(func(d identity.Document) (*policy.Policy, error) {
		p, err := identity.Parse(d)
		s.texts[p] = d
		return p, err
	}); err != nil {
		return malformed(err)
	}
	if err := s.call(); err != nil {
		return err
	}
	docs := s.who.Documents()
	if text := val(s.resource); text != "" {
		if s.own, err = policy.Parse([]byte(text), policy.Rules{Resource: true}); err != nil {
			return malformed(err)
		}
		docs = append(docs, identity.Document{Text: text})
	}
	s.keys = map[string][]string{}
	for _, e := range s.context {
		s.keys[strings.ToLower(val(e.ContextKeyName))] = e.ContextKeyValues
	}
	s.asked = contextKeys(docs)
	return nil
}

// call makes the caller the one that the request names: a user. The policy of a
// resource needs somebody whom its principals may be.
func (s *simulation) call() error {
	arn := val(s.caller)
	parts := strings.SplitN(arn, ":", 6)
	switch {
	case arn == "" && val(s.resource) != "" && (s.who.Kind != identity.User || s.who.ID == "" || strings.HasPrefix(s.who.ID, "AGPA")):
		return fault.New(fault.Invalid, "InvalidInput", "CallerArn is required with a ResourcePolicy, unless the source of policies is a user.")
	case arn == "":
		return nil
	case len(parts) != 6 || !strings.HasPrefix(arn, "arn:aws:iam::") || len(parts[4]) != 12 || !strings.HasPrefix(parts[5], "user/"):
		return fault.New(fault.Invalid, "InvalidInput", "Invalid CallerArn %.200q: it is the ARN of a user.", arn)
	}
	if arn != s.rights.Principal.ARN {
		s.rights.Principal = policy.Principal{Account: parts[4], ARN: arn}
	}
	return nil
}

func (s *simulation) look(key string) []string {
	if v, ok := s.keys[key]; ok {
		return v
	}
	return s.rights.Key(key, time.Time{})
}

// ownerOf returns whose a resource is: of the account in its ARN where both
// sides of an access are simulated, else whose the request says; the caller's.
func (s *simulation) ownerOf(object string) string {
	parts := strings.SplitN(object, ":", 6)
	if s.own != nil && len(parts) == 6 && len(parts[4]) == 12 {
		return parts[4]
	}
	if o := val(s.owner); o != "" {
		if parts := strings.SplitN(o, ":", 6); len(parts) == 6 {
			return parts[4]
		}
		return o
	}
	return s.rights.Principal.Account
}

func (s *simulation) evaluate(act, object string) EvaluationResult {
	r := &policy.Request{Principal: s.rights.Principal, Action: act, Resource: object, Owner: s.ownerOf(object), Keys: s.look}
	all := s.rights.Policies
	all.Resource = s.own
	d := policy.Evaluate(r, &all)
	out := EvaluationResult{
		EvalActionName: act, EvalResourceName: ptr(object), EvalDecision: word(d), MatchedStatements: []MatchedStatement{}, MissingContextValues: []string{},
	}
	counted, _ := policy.Explain(r, &all)
	for _, c := range counted {
		if c.By.Deny == d.Denied && (d.Allowed || d.Denied) {
			out.MatchedStatements = append(out.MatchedStatements, s.matched(c))
		}
	}
	for _, key := range s.asked {
		if len(s.look(strings.ToLower(key))) == 0 && !s.rights.Principal.Answers(strings.ToLower(key)) {
			out.MissingContextValues = append(out.MissingContextValues, key)
		}
	}
	if len(all.Boundary) > 0 {
		through := policy.Evaluate(&policy.Request{Principal: r.Principal, Action: act, Resource: object, Owner: r.Principal.Account, Keys: s.look}, &policy.Policies{Identity: all.Boundary})
		out.PermissionsBoundaryDecisionDetail = &BoundaryDetail{through.Allowed}
	}
	if object == "*" {
		return out
	}
	out.EvalDecisionDetails = s.sides(r, &all)
	out.ResourceSpecificResults = []ResourceSpecificResult{{
		out.EvalDecisionDetails, out.EvalDecision, object, out.MatchedStatements, out.MissingContextValues, out.PermissionsBoundaryDecisionDetail,
	}}
	return out
}

// sides returns what the policies of the caller and that of the resource say by
// themselves, where they are of different accounts.
func (s *simulation) sides(r *policy.Request, all *policy.Policies) map[string]string {
	details := map[string]string{}
	if r.Owner == r.Principal.Account {
		return details
	}
	theirs, mine := *r, *r
	theirs.Owner, mine.Owner = "", r.Principal.Account
	details["Resource Policy"] = word(policy.Evaluate(&theirs, &policy.Policies{All: true, Resource: all.Resource}))
	own := *all
	own.Resource = nil
	details["IAM Policy"] = word(policy.Evaluate(&mine, &own))
	return details
}

// word is a decision as answers show it.
func word(d policy.Decision) string {
	switch {
	case d.Allowed:
		return "allowed"
	case d.Denied:
		return "explicitDeny"
	}
	return "implicitDeny"
}

// matched says where a statement stands that decided.
func (s *simulation) matched(c policy.Match) MatchedStatement {
	doc := s.texts[c.By.Policy]
	m := MatchedStatement{SourcePolicyId: opt(doc.Name), SourcePolicyType: ptr("none")}
	text := doc.Text
	switch {
	case c.Source == policy.Resource:
		m.SourcePolicyType, m.SourcePolicyId, text = ptr("resource"), ptr("ResourcePolicy"), val(s.resource)
	case strings.HasPrefix(doc.ARN, "arn:aws:iam::aws:"):
		m.SourcePolicyType = ptr("aws-managed")
	case doc.ARN != "":
		m.SourcePolicyType = ptr("user-managed")
	case strings.HasPrefix(s.who.ID, "AGPA"):
		m.SourcePolicyType = ptr("group")
	case s.who.ID != "" && !strings.Contains(doc.Name, "InputList."):
		m.SourcePolicyType = ptr(s.who.Kind)
	}
	m.StartPosition, m.EndPosition = places(text, c.By.Index)
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
		if err != nil { // it may be that of a resource
			p, err = policy.Parse([]byte(d.Text), policy.Rules{Max: 1 << 17, Resource: true})
		}
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
