package rights

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/policy"
)

// A refusal as sts:DecodeAuthorizationMessage shows it: the form is public.
type message struct {
	Allowed           bool                 `json:"allowed"`
	ExplicitDeny      bool                 `json:"explicitDeny"`
	MatchedStatements items[statementItem] `json:"matchedStatements"`
	Failures          items[failure]       `json:"failures"`
	Context           about                `json:"context"`
}

type items[T any] struct {
	Items []T `json:"items"`
}

type about struct {
	Principal  subject          `json:"principal"`
	Action     string           `json:"action"`
	Resource   string           `json:"resource"`
	Conditions items[condition] `json:"conditions"`
}

type subject struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	ARN  string `json:"arn"`
}

// A failure is a statement that would have counted but for a condition, or a
// kind of policies of which none allows what must be allowed there.
type failure struct {
	*statementItem
	Lacking string     `json:"noStatementAllows,omitempty"` // the kind
	Unmet   *operation `json:"unmetCondition,omitempty"`
}

type operation struct {
	Operator string `json:"operator"`
	condition
}

// shown bounds how many statements a message tells of.
const shown = 10

type value struct {
	Value string `json:"value"`
}

type statementItem struct {
	StatementID  string           `json:"statementId"`
	Effect       string           `json:"effect"`
	Principals   items[value]     `json:"principals"`
	PrincipalsTo items[value]     `json:"principalGroups"`
	Actions      items[value]     `json:"actions"`
	Resources    items[value]     `json:"resources"`
	Conditions   items[condition] `json:"conditions"`
	SourcePolicy string           `json:"sourcePolicyId"`
	SourceType   string           `json:"sourcePolicyType"`
}

type condition struct {
	Key    string       `json:"key"`
	Values items[value] `json:"values"`
}

// sealedFor is the name under which the vault seals messages.
const sealedFor = "authorization-message "

// maxMessage bounds a message that is to be decoded.
const maxMessage = 64 << 10

// encode seals why an ask was refused, for the account of who asked.
func (p *Policy) encode(account string, text []byte) (string, error) {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		return "", err
	}
	if _, err := z.Write(text); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(p.Vault.Seal(sealedFor+account, b.String())), nil
}

// An Unsealer is a vault as far as it opens.
type Unsealer interface {
	Unseal(name string, sealed []byte) (string, error)
}

// Decode opens a message that a refusal of EC2 carried, for the account that
// was refused.
func Decode(v Unsealer, account, encoded string) (string, error) {
	invalid := fault.New(fault.Invalid, "InvalidAuthorizationMessageException", "The encoded authorization message is not valid.")
	if len(encoded) > maxMessage {
		return "", invalid
	}
	sealed, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil {
		return "", invalid
	}
	packed, err := v.Unseal(sealedFor+account, sealed)
	if err != nil {
		return "", invalid
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(strings.NewReader(packed)), 1<<20))
	if err != nil {
		return "", fmt.Errorf("a sealed authorization message: %w", err)
	}
	return string(text), nil
}

// messageOf says what was asked, what keys conditions could see, which
// statements counted, the one that decided first, and which others would have
// but for a condition.
func messageOf(ask *action.Ask, v *action.Verdict) message {
	i := ask.Who.Rights.Identity
	m := message{
		ExplicitDeny: v.Decision.Denied,
		Context:      about{Principal: subject{ID: i.ID, Name: i.Name, ARN: i.ARN}, Action: v.Permission, Resource: v.Resource.ARN},
	}
	m.MatchedStatements.Items, m.Failures.Items, m.Context.Conditions.Items = []statementItem{}, []failure{}, []condition{}
	for _, key := range ask.Known(v.Resource) {
		m.Context.Conditions.Items = append(m.Context.Conditions.Items, condition{key, valuesOf(ask.Key(v.Resource, strings.ToLower(key)))})
	}
	if s := v.Decision.By; s != nil {
		m.MatchedStatements.Items = append(m.MatchedStatements.Items, statementOf(s, v.Decision.Source))
	}
	if s := v.Decision.Source; s != policy.Nobody && !v.Decision.Denied {
		m.Failures.Items = append(m.Failures.Items, failure{Lacking: strings.ToUpper(string(s))})
	}
	counted, failed := v.Matches()
	for _, c := range counted {
		if c.By != v.Decision.By && len(m.MatchedStatements.Items) < shown {
			m.MatchedStatements.Items = append(m.MatchedStatements.Items, statementOf(c.By, c.Source))
		}
	}
	for _, f := range failed {
		if len(m.Failures.Items) < shown {
			s := statementOf(f.By, f.Source)
			m.Failures.Items = append(m.Failures.Items, failure{statementItem: &s, Unmet: &operation{f.Unmet.Name(), condition{f.Unmet.Key, valuesOf(f.Unmet.Values)}}})
		}
	}
	return m
}

func statementOf(s *policy.Statement, source policy.Source) statementItem {
	out := statementItem{
		StatementID: s.Sid, Effect: "ALLOW", Principals: items[value]{Items: []value{}}, PrincipalsTo: items[value]{Items: []value{}},
		Actions: valuesOf(s.Actions), Resources: valuesOf(s.Resources), SourcePolicy: s.Policy.Name, SourceType: strings.ToUpper(string(source)),
	}
	if s.Deny {
		out.Effect = "DENY"
	}
	for _, p := range s.Principals {
		out.Principals.Items = append(out.Principals.Items, value{p.Value})
	}
	out.Conditions.Items = []condition{}
	for _, c := range s.Conditions {
		out.Conditions.Items = append(out.Conditions.Items, condition{c.Key, valuesOf(c.Values)})
	}
	return out
}

func valuesOf(all []string) items[value] {
	out := items[value]{Items: []value{}}
	for _, v := range all {
		out.Items = append(out.Items, value{v})
	}
	return out
}
