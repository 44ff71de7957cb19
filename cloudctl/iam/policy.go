package iam

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"karri/cloudctl/managed"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

const (
	// policyRoom is how many characters, white space not counted, a managed
	// policy may have, and maxVersions how many versions are kept of one.
	policyRoom  = 6144
	maxVersions = 5
)

// Policy is a managed policy as answers show it.
type Policy struct {
	PolicyName                    string
	PolicyId                      string
	Arn                           string
	Path                          string
	DefaultVersionId              string
	AttachmentCount               int
	PermissionsBoundaryUsageCount int
	IsAttachable                  bool
	Description                   *string
	CreateDate                    time.Time
	UpdateDate                    time.Time
	Tags                          []Tag
}

// PolicyVersion is a version of a managed policy; lists leave the document out.
type PolicyVersion struct {
	Document         *string
	VersionId        string
	IsDefaultVersion bool
	CreateDate       time.Time
}

func versionID(n int) string { return "v" + strconv.Itoa(n) }

// showPolicy is a policy of an account without its description and tags, as lists show it.
func showPolicy(p *store.ManagedPolicy, use store.PolicyUse) Policy {
	return Policy{
		PolicyName: p.Name, PolicyId: p.ID, Arn: p.ARN, Path: p.Path, DefaultVersionId: versionID(p.DefaultVersion), IsAttachable: true,
		AttachmentCount: use.Attached, PermissionsBoundaryUsageCount: use.Bounds, CreateDate: p.Created, UpdateDate: p.Updated,
	}
}

// fullPolicy is a policy of an account with all that is known of it.
func fullPolicy(p *store.ManagedPolicy, use store.PolicyUse) Policy {
	out := showPolicy(p, use)
	out.Description, out.Tags = opt(p.Description), tagList(p.Tags)
	return out
}

// showManaged is a policy of the cloud.
func showManaged(p *managed.Policy, use store.PolicyUse) Policy {
	return Policy{
		PolicyName: p.Name, PolicyId: p.ID, Arn: p.ARN, Path: p.Path, DefaultVersionId: versionID(managed.Version), IsAttachable: true,
		AttachmentCount: use.Attached, PermissionsBoundaryUsageCount: use.Bounds, CreateDate: managed.Created, UpdateDate: managed.Created,
	}
}

// showVersion is a version of a policy with its document.
func showVersion(p *store.ManagedPolicy, v *store.PolicyVersion) PolicyVersion {
	return PolicyVersion{Document: ptr(encodePolicy(v.Document)), VersionId: versionID(v.Number), IsDefaultVersion: v.Number == p.DefaultVersion, CreateDate: v.Created}
}

// managedVersion is the one version of a policy of the cloud.
func managedVersion(p *managed.Policy) PolicyVersion {
	return PolicyVersion{Document: ptr(encodePolicy(p.Document)), VersionId: versionID(managed.Version), IsDefaultVersion: true, CreateDate: managed.Created}
}

// policy notes the managed policy of that ARN. Those of the cloud are there for
// all to read, and for nobody to change.
func (t *things) policy(arn string, read bool) error {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || !strings.HasPrefix(arn, "arn:aws:iam::") || !strings.HasPrefix(parts[5], "policy/") {
		return validation("ARN %.100s is not valid.", arn)
	}
	if managed.Of(arn) != nil {
		t.all = append(t.all, action.Resource{ARN: arn, Owner: action.Cloud, Public: read})
		return nil
	}
	if parts[4] != t.who.Account {
		t.all = append(t.all, action.Resource{ARN: arn, Owner: parts[4]})
		return nil
	}
	p, err := t.tx.ManagedPolicy(arn)
	switch {
	case err == nil:
		t.add(arn, p.Tags)
	case fault.KindOf(err) == fault.Missing:
		t.add(arn, nil)
	default:
		return err
	}
	return nil
}

// onPolicy is the On of an action that changes a managed policy.
func onPolicy[In any](arn func(in *In) string) func(t *things, in *In) error {
	return func(t *things, in *In) error { return t.policy(arn(in), false) }
}

// onReadPolicy is the On of an action that reads a managed policy.
func onReadPolicy[In any](arn func(in *In) string) func(t *things, in *In) error {
	return func(t *things, in *In) error { return t.policy(arn(in), true) }
}

// ownPolicy returns a managed policy of the account itself.
func ownPolicy(tx *store.Tx, account, arn string) (*store.ManagedPolicy, error) {
	if managed.Of(arn) != nil {
		return nil, fault.New(fault.Denied, "AccessDenied", "The policy %s belongs to the cloud and cannot be changed.", arn)
	}
	p, err := tx.ManagedPolicy(arn)
	if fault.KindOf(err) == fault.Missing && err != nil || err == nil && p.Account != account {
		return nil, fault.New(fault.Missing, "NoSuchEntity", "Policy %s was not found.", arn)
	}
	return p, err
}

// withPolicy runs do in a transaction, on a managed policy of the caller's account.
func (api *API) withPolicy(ctx context.Context, who action.Caller, arn string, do func(tx *store.Tx, p *store.ManagedPolicy) error) error {
	return api.Store.InTx(ctx, func(tx *store.Tx) error {
		p, err := ownPolicy(tx, who.Account, arn)
		if err != nil {
			return err
		}
		return do(tx, p)
	})
}

// putPolicy writes a managed policy that was changed, and announces it.
func (api *API) putPolicy(tx *store.Tx, p *store.ManagedPolicy) error {
	if err := tx.Put(p); err != nil {
		return err
	}
	return api.announcePolicy(tx, p, changed)
}

func (api *API) announcePolicy(tx *store.Tx, p *store.ManagedPolicy, what string) error {
	return api.announce(tx, p.Account, "policy", p.ID, p.Name, p.ARN, what)
}

// checkManaged refuses a document that no managed policy may be.
func checkManaged(document string) error {
	if err := checkPolicy(document); err != nil {
		return err
	}
	if dense(document) > policyRoom {
		return fault.New(fault.Full, "LimitExceeded", "Cannot exceed quota for PolicySize: %d", policyRoom)
	}
	return nil
}

// parseVersion reads the name of a version: v3.
func parseVersion(id string) (int, error) {
	digits, ok := strings.CutPrefix(id, "v")
	n, err := strconv.Atoi(digits)
	if !ok || err != nil || n < 1 || digits != fmt.Sprint(n) {
		return 0, validation("The specified value for versionId is invalid: %.50q. It must be v and a number.", id)
	}
	return n, nil
}

// version returns a version of a policy by its name.
func version(tx *store.Tx, p *store.ManagedPolicy, id string) (*store.PolicyVersion, error) {
	n, err := parseVersion(id)
	if err != nil {
		return nil, err
	}
	v, err := tx.PolicyVersion(p.ID, n)
	if fault.KindOf(err) == fault.Missing && err != nil {
		return nil, fault.New(fault.Missing, "NoSuchEntity", "Policy %s version %s does not exist or is not attachable.", p.ARN, id)
	}
	return v, err
}
