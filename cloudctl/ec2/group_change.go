package ec2

import (
	"context"
	"slices"
	"strings"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
	"karri/shared/id"
)

// groupOf finds the group that a request names by id, or by name in the
// default VPC.
func groupOf(tx *store.Tx, account string, byID, byName *string) (*store.Group, error) {
	switch {
	case val(byID) != "" && val(byName) != "":
		return nil, combination("The parameters groupName and groupId cannot be used together.")
	case val(byID) != "":
		g, err := parse[id.Group](*byID)
		if err != nil {
			return nil, err
		}
		return tx.Group(account, g)
	case val(byName) != "":
		return groupNamed(tx, account, *byName)
	}
	return nil, fault.New(fault.Invalid, "MissingParameter", "The request must contain the parameter groupName or groupId")
}

func groupNamed(tx *store.Tx, account, name string) (*store.Group, error) {
	vpc, err := tx.DefaultVPC(account)
	if err != nil {
		return nil, err
	}
	return tx.GroupNamed(account, vpc.ID, name)
}

// onGroup is the On of an action on one security group.
func onGroup[In any](names func(*In) (byID, byName *string)) func(context.Context, *API, action.Caller, *In) ([]action.Resource, error) {
	return on(func(tx *store.Tx, u *uses, in *In) error {
		byID, byName := names(in)
		g, err := groupOf(tx, u.who.Account, byID, byName)
		if err == nil {
			u.add("security-group", string(g.ID))
		} else if val(byID) != "" {
			return u.note(err, "security-group", *byID)
		}
		return err
	})
}

// A ruleChange adds or removes rules of one direction of a group.
type ruleChange struct {
	byID, byName *string
	egress       bool
	flat         flat
	permissions  []IpPermission
	rules        []string           // ids, where rules are named so
	tags         []TagSpecification // of new rules
}

// RuleAnswer tells which rules were made.
type RuleAnswer struct {
	Return             bool
	SecurityGroupRules []SecurityGroupRule
}

// RevokeAnswer tells that the rules are gone. A rule that is not there is a
// fault, so none is ever unknown.
type RevokeAnswer struct {
	Return               bool
	UnknownIpPermissions []IpPermission
}

// authorize adds rules, all or none.
func (api *API) authorize(ctx context.Context, who action.Caller, c ruleChange) (*RuleAnswer, error) {
	tags, err := newTags(c.tags, "security-group-rule")
	if err != nil {
		return nil, err
	}
	var out *RuleAnswer
	err = api.Store.InTx(ctx, func(tx *store.Tx) error {
		out = &RuleAnswer{Return: true, SecurityGroupRules: []SecurityGroupRule{}}
		g, fresh, now, err := c.resolve(tx, who)
		if err != nil {
			return err
		}
		count := len(fresh)
		for _, r := range now {
			if r.Egress == c.egress {
				count++
			}
		}
		for _, r := range fresh {
			if find(now, &r) != nil {
				return fault.New(fault.Conflict, "InvalidPermission.Duplicate", "the specified rule %q already exists", ruleWords(&r))
			}
			r.ID, r.Created = id.New[id.Rule](api.Rand), api.Clock()
			if err := tx.Add(&r); err != nil {
				return err
			}
			if err := putTags(tx, who.Account, "security-group-rule", string(r.ID), tags["security-group-rule"]); err != nil {
				return err
			}
			rows, err := tx.TagsOn(who.Account, string(r.ID))
			if err != nil {
				return err
			}
			out.SecurityGroupRules = append(out.SecurityGroupRules, ruleShape(&r, g.VPC, rows))
		}
		if count > maxRules {
			return fault.New(fault.Full, "RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached: %d.", maxRules)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return out, nil
}

// revoke removes rules, all or none.
func (api *API) revoke(ctx context.Context, who action.Caller, c ruleChange) (*RevokeAnswer, error) {
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		if len(c.rules) > 0 {
			return c.revokeByID(tx, who)
		}
		rows, err := c.rows(tx, who)
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := dropRule(tx, r.was); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	api.Nudge()
	return &RevokeAnswer{Return: true, UnknownIpPermissions: []IpPermission{}}, nil
}

func (c *ruleChange) revokeByID(tx *store.Tx, who action.Caller) error {
	if len(c.permissions) > 0 || c.flat != (flat{}) {
		return combination("Rules may be named by their ids or described by permissions, not both.")
	}
	g, err := groupOf(tx, who.Account, c.byID, c.byName)
	if err != nil {
		return err
	}
	ids, err := parseAll[id.Rule](c.rules)
	if err != nil {
		return err
	}
	for _, name := range ids {
		r, err := ruleOf(tx, g, name)
		if err == nil && r.Egress != c.egress {
			err = noRule(name)
		}
		if err == nil {
			err = dropRule(tx, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ruleOf returns a rule of a group by its id.
func ruleOf(tx *store.Tx, g *store.Group, name id.Rule) (*store.Rule, error) {
	r, err := tx.Rule(g.Account, name)
	if err == nil && r.Group != g.ID {
		err = noRule(name)
	}
	return r, err
}

func noRule(name id.Rule) error {
	return fault.New(fault.Missing, "InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", name)
}

func dropRule(tx *store.Tx, r *store.Rule) error {
	if err := tx.DropTagsOn(string(r.ID)); err != nil {
		return err
	}
	return tx.Drop(r)
}

// resolve returns the group, the rules that the request describes, and those
// that the group has.
func (c *ruleChange) resolve(tx *store.Tx, who action.Caller) (g *store.Group, named, now []store.Rule, err error) {
	if g, err = groupOf(tx, who.Account, c.byID, c.byName); err != nil {
		return nil, nil, nil, err
	}
	permissions, err := c.flat.permissions(c.permissions)
	if err != nil {
		return nil, nil, nil, err
	}
	if named, err = rulesOf(tx, g, c.egress, permissions); err != nil {
		return nil, nil, nil, err
	}
	now, err = tx.RulesIn(g.ID)
	return g, named, now, err
}

// A match is a rule as the request describes it, and as the group has it.
type match struct{ asked, was *store.Rule }

// rows returns the rules of the group that the request describes, or the fault
// that one is not there. A rule with an IPv6 range or a prefix list never is;
// tools that take away what other clouds put into each new group rely on it.
func (c *ruleChange) rows(tx *store.Tx, who action.Caller) ([]match, error) {
	absent := fault.New(fault.Missing, "InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
	if slices.ContainsFunc(c.permissions, func(p IpPermission) bool { return len(p.Ipv6Ranges)+len(p.PrefixListIds) > 0 }) {
		return nil, absent
	}
	_, named, now, err := c.resolve(tx, who)
	if err != nil {
		return nil, err
	}
	var all []match
	for n := range named {
		was := find(now, &named[n])
		if was == nil {
			return nil, absent
		}
		all = append(all, match{&named[n], was})
	}
	return all, nil
}

// find returns the rule among rows that allows the same as r, or nil.
func find(rows []store.Rule, r *store.Rule) *store.Rule {
	for n := range rows {
		if sameRule(&rows[n]) == sameRule(r) {
			return &rows[n]
		}
	}
	return nil
}

// ruleWords says what a rule allows as EC2 does in its messages.
func ruleWords(r *store.Rule) string {
	words := []string{"peer: " + r.CIDR + string(r.Peer), strings.ToUpper(r.Protocol)}
	switch r.Protocol {
	case "-1":
		words[1] = "ALL"
	case "tcp", "udp":
		words = append(words, "from port: "+isInt(r.From)[0], "to port: "+isInt(r.To)[0])
	case "icmp":
		words = append(words, "type: "+isInt(r.From)[0], "code: "+isInt(r.To)[0])
	}
	return strings.Join(append(words, "ALLOW"), ", ")
}
