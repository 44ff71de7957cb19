// Package managed holds the policies that belong to the cloud itself: the ones
// that tools attach by an ARN such as arn:aws:iam::aws:policy/ReadOnlyAccess.
//
// They have the names, paths and meaning of the public cloud's, and statements
// for the services that Karri serves. They are part of the program: they never
// change while it runs, so nothing is stored and a crash loses nothing. Of, and
// Document for those of accounts too, are the one way from an ARN to a text.
package managed

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"karri/cloudctl/store"
	"karri/shared/fault"
	"karri/shared/identity"
)

// Prefix begins the ARN of each policy of the cloud, and of no other.
const Prefix = "arn:aws:iam::aws:policy/"

// Version is the one version that each policy of the cloud has.
const Version = 1

// Created is when the policies of the cloud were written.
var Created = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// A Policy is one of the cloud.
type Policy struct {
	ID          string // ANPA...
	Name        string
	Path        string
	ARN         string
	Description string
	Document    string
}

var byARN, inOrder = build(slices.Concat(general(), services(), jobs()))

// Of returns the policy of the cloud with that ARN, nil when there is none.
func Of(arn string) *Policy { return byARN[arn] }

// All returns the policies of the cloud by name. Nobody may change them.
func All() []*Policy { return inOrder }

// Document returns the text of the version that counts of any managed policy.
func Document(tx *store.Tx, arn string) (identity.Document, error) {
	if p := Of(arn); p != nil {
		return identity.Document{Name: p.Name, ARN: arn, Text: p.Document}, nil
	}
	p, err := tx.ManagedPolicy(arn)
	if err != nil {
		return identity.Document{}, err
	}
	v, err := tx.PolicyVersion(p.ID, p.DefaultVersion)
	if err != nil {
		return identity.Document{}, err
	}
	return identity.Document{Name: p.Name, ARN: arn, Text: v.Document}, nil
}

// Held returns the policy that is attached to a user; the cloud's own are in no
// record.
func Held(p store.HeldPolicy) (identity.Document, error) {
	if own := Of(p.ARN); own != nil {
		return identity.Document{Name: own.Name, ARN: p.ARN, Text: own.Document}, nil
	}
	if p.Text == "" {
		return identity.Document{}, fault.New(fault.Missing, "NoSuchEntity", "Policy %s does not exist or is not attachable.", p.ARN)
	}
	return identity.Document{Name: p.Name, ARN: p.ARN, Text: p.Text}, nil
}

// Policies is the managed policies of a cloud: its own and those of accounts.
type Policies struct{}

// Attachable returns the name of a policy that an account may attach: one of
// its own or of the cloud. The fault NoSuchEntity says that there is none.
func (Policies) Attachable(tx *store.Tx, account, arn string) (string, error) {
	if p := Of(arn); p != nil {
		return p.Name, nil
	}
	p, err := tx.ManagedPolicy(arn)
	if err == nil && p.Account == account {
		return p.Name, nil
	}
	if err == nil || fault.KindOf(err) == fault.Missing {
		return "", fault.New(fault.Missing, "NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
	}
	return "", err
}

// A statement is one of a document, in the order in which it is written.
type statement struct {
	Sid       string         `json:",omitempty"`
	Effect    string         `json:"Effect"`
	Action    []string       `json:",omitempty"`
	NotAction []string       `json:",omitempty"`
	Resource  []string       `json:"Resource"`
	Condition map[string]any `json:",omitempty"`
}

// A draft is a policy before it has its names.
type draft struct {
	path, name, description string
	statements              []statement
}

// allow lets the actions be done on anything.
func allow(actions ...string) []statement {
	slices.Sort(actions)
	return []statement{{Effect: "Allow", Action: slices.Compact(actions), Resource: []string{"*"}}}
}

// build gives each draft its ARN, id and text.
func build(drafts []draft) (map[string]*Policy, []*Policy) {
	byARN, all := map[string]*Policy{}, []*Policy{}
	for _, d := range drafts {
		document := struct {
			Version   string
			Statement []statement
		}{"2012-10-17", d.statements}
		text, err := json.MarshalIndent(document, "", "  ")
		if err != nil {
			panic(err)
		}
		p := &Policy{Name: d.name, Path: d.path, ARN: Prefix + strings.TrimPrefix(d.path, "/") + d.name, Description: d.description, Document: string(text)}
		sum := sha256.Sum256([]byte(p.ARN))
		p.ID = "ANPA" + base32.StdEncoding.EncodeToString(sum[:])[:17]
		byARN[p.ARN] = p
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b *Policy) int { return strings.Compare(store.Fold(a.Name), store.Fold(b.Name)) })
	return byARN, all
}
