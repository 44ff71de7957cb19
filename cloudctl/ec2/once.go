package ec2

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/fault"
)

// maxToken is the greatest length of a client token.
const maxToken = 64

// once makes something in the transaction, unless a request of the same
// account with the same token made it before: then it returns what that made.
// The same token with other parameters is refused. Without a token it makes
// always.
func (api *API) once(tx *store.Tx, who action.Caller, name string, token *string, in any, do func() (string, error)) (string, error) {
	if val(token) == "" {
		return do()
	}
	if len(*token) > maxToken {
		return "", invalid("The client token may have at most %d characters.", maxToken)
	}
	b, err := json.Marshal(in)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(b)
	digest := hex.EncodeToString(sum[:])
	old, err := tx.ClientToken(who.Account, name, *token)
	if err != nil {
		return "", err
	}
	if old != nil && old.Digest != digest {
		return "", fault.New(fault.Invalid, "IdempotentParameterMismatch",
			"The client token '%s' was used before with other parameters.", *token)
	}
	if old != nil {
		return old.Resource, nil
	}
	made, err := do()
	if err != nil {
		return "", err
	}
	return made, tx.Add(&store.ClientToken{
		Account: who.Account, Action: name, Token: *token, Digest: digest, Resource: made, Created: api.Clock(),
	})
}
