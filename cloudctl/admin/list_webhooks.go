package admin

import (
	"context"
	"time"

	"karri/shared/action"
)

// ListWebhooksInput asks for all webhooks.
type ListWebhooksInput struct{}

// ListWebhooksOutput lists the webhooks by id.
type ListWebhooksOutput struct{ Webhooks []Webhook }

// Webhook is a webhook as the administrator sees it.
type Webhook struct {
	WebhookId string
	Url       string
	Subject   string
	Waiting   int // events that it was not sent yet
	Created   time.Time
}

var _ = action.Add(Catalog, action.Def[*API, ListWebhooksInput, ListWebhooksOutput]{
	Name: "ListWebhooks",
	Doc:  "Lists the webhooks, and how much each was not sent yet.",
	On:   action.AdminOnly[*API, ListWebhooksInput],
	Run: func(ctx context.Context, api *API, _ action.Caller, _ *ListWebhooksInput) (*ListWebhooksOutput, error) {
		all, owed, err := api.News.Hooks.List(ctx)
		out := &ListWebhooksOutput{}
		for i, h := range all {
			out.Webhooks = append(out.Webhooks, Webhook{WebhookId: h.ID, Url: h.URL, Subject: h.Subject, Waiting: owed[i], Created: h.Created})
		}
		return out, err
	},
})
