package s3

import (
	"karri/walrus/index"
)

// fits refuses a body of a size for which the quotas have no room, before it is
// read. The commit decides.
func (c *call) fits(size int64) error {
	account := index.Usage{}
	if c.Accounts != nil {
		var err error
		if account, err = c.Accounts.Quota(c.ctx, c.b.Owner); err != nil {
			return err
		}
	}
	if account == (index.Usage{}) && c.b.Quota == (index.Usage{}) {
		return nil
	}
	more := index.Usage{Objects: 1, Bytes: size}
	if c.b.Versioning == "" { // it may take the place of another
		if old, err := c.Objects.Object(c.ctx, c.bucket, c.key, ""); err == nil && !old.Marker {
			more = index.Usage{Bytes: size - old.Size}
		}
	}
	if c.b.Quota != (index.Usage{}) {
		used, err := c.Buckets.Usage(c.ctx, c.bucket)
		if err == nil && !c.b.Quota.Holds(used, more) {
			err = index.QuotaExceeded
		}
		if err != nil {
			return err
		}
	}
	if account != (index.Usage{}) {
		used, _, err := c.Accounts.Account(c.ctx, c.b.Owner)
		if err == nil && !account.Holds(used, more) {
			err = index.QuotaExceeded
		}
		return err
	}
	return nil
}
