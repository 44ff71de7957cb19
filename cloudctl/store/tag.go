package store

// A Tag is a word that an account hangs on a resource.
type Tag struct {
	Account  string `gorm:"primaryKey"`
	Resource string `gorm:"primaryKey"` // its id
	Key      string `gorm:"primaryKey"`
	Kind     string // EC2's resource type: instance, volume, security-group
	Value    string
}

// TableName names the table.
func (Tag) TableName() string { return "tags" }

// Tags are the tags of many resources by id of the resource, ordered by key.
type Tags map[string][]Tag

// TagsOf returns all tags of an account.
func (t *Tx) TagsOf(account string) (Tags, error) {
	rows, err := many[Tag](t.owned(account), "resource, key")
	if err != nil {
		return nil, err
	}
	tags := Tags{}
	for _, r := range rows {
		tags[r.Resource] = append(tags[r.Resource], r)
	}
	return tags, nil
}

// TagsOn returns the tags of one resource.
func (t *Tx) TagsOn(account, resource string) ([]Tag, error) {
	return many[Tag](t.owned(account).Where("resource = ?", resource), "key")
}

// DropTagsOn removes the tags of a resource that ends.
func (t *Tx) DropTagsOn(resource string) error {
	return t.g.Where("resource = ?", resource).Delete(&Tag{}).Error
}
