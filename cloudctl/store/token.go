package store

import "time"

// A ClientToken remembers what a request with that token made, so that a
// repeat makes nothing new and answers the same.
type ClientToken struct {
	Account  string `gorm:"primaryKey"`
	Action   string `gorm:"primaryKey"`
	Token    string `gorm:"primaryKey"`
	Digest   string // of the request's parameters
	Resource string // the id of what was made
	Created  time.Time
}

// TableName names the table.
func (ClientToken) TableName() string { return "client_tokens" }

// ClientToken returns what a token made, or nil when it is new.
func (t *Tx) ClientToken(account, action, token string) (*ClientToken, error) {
	rows, err := many[ClientToken](t.g.Where("account = ? AND action = ? AND token = ?", account, action, token), "token")
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0], nil
}

// DropClientTokensBefore forgets tokens that nobody repeats any more.
func (t *Tx) DropClientTokensBefore(when time.Time) error {
	return t.g.Where("created < ?", when).Delete(&ClientToken{}).Error
}
