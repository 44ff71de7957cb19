package rights

import (
	"context"
	"encoding/json"

	"karri/cloudctl/vault"
	"karri/shared/action"
	"karri/shared/audit"
	"karri/shared/fault"
)

// A Policy decides what callers may by their policies, and tells a refusal in
// the form of the service that was asked. It implements action.Policy.
type Policy struct {
	Vault *vault.Vault
}

// Allow implements action.Policy. Who has no policies at all, as in tests of
// an action alone, has what its account owns.
func (p *Policy) Allow(ctx context.Context, ask *action.Ask) error {
	if ask.Who.Rights == nil {
		return action.OwnerOnly{}.Allow(ctx, ask)
	}
	v := ask.Judge()
	if v == nil {
		return nil
	}
	why, err := json.Marshal(messageOf(ask, v))
	if err != nil {
		return err
	}
	audit.Decided(ctx, json.RawMessage(why))
	text := v.Sentence(ask.Who)
	switch ask.Service {
	case "ec2":
		sealed, err := p.encode(ask.Who.Account, why)
		if err != nil {
			return err
		}
		return fault.New(fault.Denied, "UnauthorizedOperation", "You are not authorized to perform this operation. %s. Encoded authorization failure message: %s", text, sealed)
	case "cloudtrail", "servicequotas":
		return fault.New(fault.Denied, "AccessDeniedException", "%s", text)
	}
	return fault.New(fault.Denied, "AccessDenied", "%s", text)
}
