package admin

import (
	"context"

	"karri/shared/action"
)

// DeleteWebhookInput names the webhook.
type DeleteWebhookInput struct {
	WebhookId string
}

var _ = action.Add(Catalog, action.Def[*API, DeleteWebhookInput, action.Nothing]{
	Name:    "DeleteWebhook",
	Doc:     "Ends a webhook; what it was not sent yet is forgotten.",
	Example: DeleteWebhookInput{WebhookId: "hook-abcdefgh12345678"},
	On:      action.AdminOnly[*API, DeleteWebhookInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, in *DeleteWebhookInput) (*action.Nothing, error) {
		return nil, api.News.Hooks.Delete(ctx, in.WebhookId)
	},
})
