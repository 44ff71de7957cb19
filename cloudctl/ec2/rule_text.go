package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// SecurityGroupRuleDescription is the new description of a rule; absent, the
// rule shall have none.
type SecurityGroupRuleDescription struct {
	Description         *string
	SecurityGroupRuleId *string
}

// describeRules changes the descriptions of rules, all or none. What the rules
// allow stays, so that no order changes.
func (api *API) describeRules(ctx context.Context, who action.Caller, c ruleChange, texts []SecurityGroupRuleDescription) (*Done, error) {
	if len(texts) > 0 && len(c.permissions) > 0 {
		return nil, combination("Rules may be named by their ids or described by permissions, not both.")
	}
	err := api.Store.InTx(ctx, func(tx *store.Tx) error {
		if len(texts) > 0 {
			return c.describeByID(tx, who, texts)
		}
		rows, err := c.rows(tx, who)
		if err != nil {
			return err
		}
		for _, r := range rows {
			r.was.Description = r.asked.Description
			if err := tx.Put(r.was); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &Done{Return: true}, nil
}

func (c *ruleChange) describeByID(tx *store.Tx, who action.Caller, texts []SecurityGroupRuleDescription) error {
	g, err := groupOf(tx, who.Account, c.byID, c.byName)
	if err != nil {
		return err
	}
	for _, t := range texts {
		name, err := parse[id.Rule](val(t.SecurityGroupRuleId))
		if err != nil {
			return err
		}
		r, err := ruleOf(tx, g, name)
		if err == nil && r.Egress != c.egress {
			err = noRule(name)
		}
		if err != nil {
			return err
		}
		if r.Description, err = describe(t.Description); err != nil {
			return err
		}
		if err := tx.Put(r); err != nil {
			return err
		}
	}
	return nil
}
