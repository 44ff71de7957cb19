package admin

import (
	"context"

	"karri/shared/action"
)

// CreateWebhookInput says what is to be told, and where.
type CreateWebhookInput struct {
	Url     string  `audit:"host"` // https, or http to the machine of cloudctl itself
	Subject string  // pattern of subjects: identity.*, bucket.policy, >
	Secret  *string // that signs what is sent; a fresh one when absent
}

// CreateWebhookOutput is the new webhook. The secret is shown here and never again.
type CreateWebhookOutput struct {
	WebhookId string
	Secret    string
}

var _ = action.Add(Catalog, action.Def[*API, CreateWebhookInput, CreateWebhookOutput]{
	Name:    "CreateWebhook",
	Doc:     "Sends the events of the cloud to a URL, signed, each at least once.",
	Example: CreateWebhookInput{Url: "https://example.com/events", Subject: "identity.*"},
	On:      action.AdminOnly[*API, CreateWebhookInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *CreateWebhookInput) (*CreateWebhookOutput, error) {
		given := ""
		if in.Secret != nil {
			given = *in.Secret
		}
		h, secret, err := api.News.Hooks.Create(ctx, in.Url, in.Subject, given)
		if err != nil {
			return nil, err
		}
		return &CreateWebhookOutput{WebhookId: h.ID, Secret: secret}, nil
	},
})
