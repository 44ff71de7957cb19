package store

import "time"

// A Webhook is a URL that is told of events.
type Webhook struct {
	ID      string `gorm:"primaryKey"` // hook-...
	URL     string
	Subject string // pattern of subjects
	Sealed  []byte // the secret that signs
	Created time.Time
}

// TableName names the table.
func (Webhook) TableName() string { return "webhooks" }

// A Delivery is an event that a webhook has not taken yet.
type Delivery struct {
	Seq     int64 `gorm:"primaryKey"` // given by the database
	Webhook string
	Event   string // its ID: a webhook is owed an event once
	Body    []byte // the event as JSON
	Created time.Time
}

// TableName names the table.
func (Delivery) TableName() string { return "deliveries" }

// Webhook returns the webhook with the given id.
func (t *Tx) Webhook(id string) (*Webhook, error) {
	return one[Webhook](t.g.Where("id = ?", id), missing("NoSuchEntity", "There is no webhook %s.", id))
}

// Webhooks returns all webhooks.
func (t *Tx) Webhooks() ([]Webhook, error) { return many[Webhook](t.g, "id") }

// DropWebhook forgets a webhook and what it was to be sent.
func (t *Tx) DropWebhook(w *Webhook) error {
	if err := t.g.Where("webhook = ?", w.ID).Delete(&Delivery{}).Error; err != nil {
		return wrap("drop", &Delivery{}, err)
	}
	return t.Drop(w)
}

// Owe writes a delivery, unless there is one of that event already.
func (t *Tx) Owe(d *Delivery) error {
	err := t.g.Where("webhook = ? AND event = ?", d.Webhook, d.Event).FirstOrCreate(d).Error
	return wrap("owe", d, err)
}

// Owed returns up to max deliveries of a webhook, the oldest first.
func (t *Tx) Owed(webhook string, max int) ([]Delivery, error) {
	return many[Delivery](t.g.Where("webhook = ?", webhook).Limit(max), "seq")
}

// OwedTo counts the deliveries of a webhook.
func (t *Tx) OwedTo(webhook string) (int, error) {
	return count[Delivery](t.g.Where("webhook = ?", webhook))
}

// DropDelivery takes a delivery out.
func (t *Tx) DropDelivery(seq int64) error {
	return t.g.Where("seq = ?", seq).Delete(&Delivery{}).Error
}
