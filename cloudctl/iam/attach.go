package iam

import (
	"strings"

	"karri/cloudctl/store"
)

// attachable returns the name of a managed policy that the account may attach.
func (api *API) attachable(tx *store.Tx, account, arn string) (string, error) {
	if !strings.HasPrefix(arn, "arn:aws:iam::") {
		return "", validation("The specified value for policyArn is invalid: %.100q is no ARN of a policy.", arn)
	}
	return api.Managed.Attachable(tx, account, arn)
}

// bound returns the ARN of a policy that may bound what a user or role of the
// account may; "" is none.
func (api *API) bound(tx *store.Tx, account, arn string) (string, error) {
	if arn == "" {
		return "", nil
	}
	_, err := api.attachable(tx, account, arn)
	return arn, err
}
