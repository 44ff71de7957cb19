package daemon

import (
	"context"

	"karri/shared/fault"
	"karri/shared/policy"
)

// principals asks cloudctl who is meant by policies. It implements s3.Principals.
type principals struct{ cloud caller }

// Pin is s3.Principals's.
func (p principals) Pin(ctx context.Context, document []byte) ([]byte, error) {
	return p.ask(ctx, document, false)
}

// Show is s3.Principals's.
func (p principals) Show(ctx context.Context, document []byte) ([]byte, error) {
	return p.ask(ctx, document, true)
}

type principalsRequest struct {
	Policy string `json:"policy"`
	Show   bool   `json:"show,omitempty"`
}

func (p principals) ask(ctx context.Context, document []byte, show bool) ([]byte, error) {
	var out struct {
		Policy string `json:"policy"`
	}
	err := p.cloud.Call(ctx, "POST", "/v1/principals", nil, principalsRequest{string(document), show}, &out)
	switch f := fault.Of(err); {
	case err == nil:
		return []byte(out.Policy), nil
	case f.Code == "MalformedPolicyDocument":
		return nil, fault.New(fault.Invalid, policy.Malformed, "%s", f.Text)
	}
	return nil, fault.New(fault.Later, "ServiceUnavailable", "The users and roles of the policy cannot be looked up now. Please try again.").Because(err)
}
