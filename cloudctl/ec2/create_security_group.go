package ec2

import (
	"context"
	"strings"
	"unicode/utf8"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// CreateSecurityGroupInput names a new security group.
type CreateSecurityGroupInput struct {
	Description       string
	GroupName         string
	TagSpecifications []TagSpecification
	VpcId             *string // nil: the default VPC
}

// CreateSecurityGroupOutput tells its id.
type CreateSecurityGroupOutput struct {
	GroupId string
	Tags    []Tag
}

var _ = action.Add(Catalog, action.Def[*API, CreateSecurityGroupInput, CreateSecurityGroupOutput]{
	Name:    "CreateSecurityGroup",
	Doc:     "Makes a security group that lets everything out and nothing in.",
	Example: CreateSecurityGroupInput{GroupName: "web", Description: "web servers"},
	On: on(func(tx *store.Tx, u *uses, in *CreateSecurityGroupInput) error {
		vpc, err := vpcOf(tx, u.who.Account, in.VpcId)
		if err == nil {
			u.add("vpc", string(vpc.ID))
			u.fresh("security-group", map[string][]string{"ec2:Vpc": {u.api.arn(u.who.Account, "vpc", string(vpc.ID))}})
		}
		return err
	}),
	Run: createSecurityGroup,
})

// vpcOf returns the VPC that a request names, or the default one.
func vpcOf(tx *store.Tx, account string, name *string) (*store.VPC, error) {
	if val(name) == "" {
		return tx.DefaultVPC(account)
	}
	v, err := parse[id.VPC](*name)
	if err != nil {
		return nil, err
	}
	return tx.VPC(account, v)
}

func createSecurityGroup(ctx context.Context, api *API, who action.Caller, in *CreateSecurityGroupInput) (*CreateSecurityGroupOutput, error) {
	if err := checkGroupWords(in.GroupName, in.Description); err != nil {
		return nil, err
	}
	tags, err := newTags(in.TagSpecifications, "security-group")
	if err != nil {
		return nil, err
	}
	out := &CreateSecurityGroupOutput{}
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		vpc, err := vpcOf(tx, who.Account, in.VpcId)
		if err != nil {
			return err
		}
		if err := quota.Check(tx, who, quota.Groups, 1); err != nil {
			return err
		}
		g := &store.Group{
			ID: id.New[id.Group](api.Rand), Account: who.Account, Creator: quota.Creator(who), VPC: vpc.ID, Name: in.GroupName, Description: in.Description, Created: api.Clock(),
		}
		if err := tx.Add(g); err != nil {
			if store.Taken(err) {
				return fault.New(fault.Conflict, "InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", g.Name, vpc.ID)
			}
			return err
		}
		if err := tx.Add(&store.Rule{
			ID: id.New[id.Rule](api.Rand), Account: who.Account, Group: g.ID, Egress: true, Protocol: "-1", From: -1, To: -1, CIDR: "0.0.0.0/0", Created: g.Created,
		}); err != nil {
			return err
		}
		if err := putTags(tx, who.Account, "security-group", string(g.ID), tags["security-group"]); err != nil {
			return err
		}
		rows, err := tx.TagsOn(who.Account, string(g.ID))
		out.GroupId, out.Tags = string(g.ID), tagSet(rows)
		return err
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return out, nil
}

// checkGroupWords checks the name and the description of a new group.
func checkGroupWords(name, description string) error {
	switch {
	case strings.EqualFold(name, "default"):
		return fault.New(fault.Invalid, "InvalidGroup.Reserved", "Cannot use reserved security group name: %s", name)
	case strings.HasPrefix(strings.ToLower(name), "sg-"):
		return invalid("Value (%s) for parameter GroupName is invalid. It may not begin with sg-.", name)
	case utf8.RuneCountInString(name) > 255 || strings.TrimSpace(name) != name || !plain(name, ruleText):
		return invalid("Value (%s) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.", name)
	case utf8.RuneCountInString(description) > 255 || !plain(description, ruleText):
		return invalid("Value (%s) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.", description)
	}
	return nil
}
