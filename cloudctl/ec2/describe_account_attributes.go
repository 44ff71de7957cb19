package ec2

import (
	"context"
	"strconv"

	"karri/cloudctl/quota"
	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// DescribeAccountAttributesInput names attributes; all when there is none.
type DescribeAccountAttributesInput struct{ AttributeNames []string }

// DescribeAccountAttributesOutput lists attributes of the caller's account.
type DescribeAccountAttributesOutput struct{ AccountAttributes []AccountAttribute }

// AccountAttribute is one of them.
type AccountAttribute struct {
	AttributeName   string
	AttributeValues []AccountAttributeValue
}

// AccountAttributeValue is one of its values.
type AccountAttributeValue struct{ AttributeValue string }

var _ = action.Add(Catalog, action.Def[*API, DescribeAccountAttributesInput, DescribeAccountAttributesOutput]{
	Name:    "DescribeAccountAttributes",
	Doc:     "Tells the limits of the caller's account and its default VPC.",
	Example: DescribeAccountAttributesInput{AttributeNames: []string{"default-vpc"}},
	On:      action.Own[*API, DescribeAccountAttributesInput],
	List:    &action.List{},
	Run:     describeAccountAttributes,
})

func describeAccountAttributes(ctx context.Context, api *API, who action.Caller, in *DescribeAccountAttributesInput) (*DescribeAccountAttributesOutput, error) {
	vpc := "none"
	var instances, addresses quota.Bound
	err := api.Store.View(ctx, func(tx *store.Tx) (err error) {
		if instances, err = quota.OfAccount(tx, who.Account, quota.Instances); err != nil {
			return err
		}
		if addresses, err = quota.OfAccount(tx, who.Account, quota.Addresses); err != nil {
			return err
		}
		v, err := tx.DefaultVPC(who.Account)
		if fault.KindOf(err) == fault.Missing {
			return nil
		}
		if err == nil {
			vpc = string(v.ID)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	attribute := func(name, value string) AccountAttribute {
		return AccountAttribute{AttributeName: name, AttributeValues: []AccountAttributeValue{{value}}}
	}
	all := []AccountAttribute{
		attribute("supported-platforms", "VPC"), attribute("default-vpc", vpc),
		attribute("max-instances", strconv.FormatInt(instances.Most, 10)),
		attribute("vpc-max-security-groups-per-interface", strconv.Itoa(maxGroups)),
		attribute("max-elastic-ips", strconv.FormatInt(addresses.Most, 10)),
		attribute("vpc-max-elastic-ips", strconv.FormatInt(addresses.Most, 10)),
	}
	all, err = wanted(in.AttributeNames, all, func(a AccountAttribute) string { return a.AttributeName }, func(name string) error {
		return invalid("Value (%s) for parameter attributeName is invalid.", name)
	})
	return &DescribeAccountAttributesOutput{AccountAttributes: all}, err
}
