package s3

import (
	"encoding/xml"
	"net/http"

	"karri/shared/fault"
	"karri/walrus/setting"
)

var _ = define(operation{Name: "GetBucketInventoryConfiguration", Action: "s3:GetInventoryConfiguration", Method: http.MethodGet, On: onBucket, Sub: "inventory", Run: (*call).getBucketInventoryConfiguration})

// inventoriesXML is a page of ListBucketInventoryConfigurations.
type inventoriesXML struct {
	XMLName  xml.Name             `xml:"http://s3.amazonaws.com/doc/2006-03-01/ ListInventoryConfigurationsResult"`
	Token    string               `xml:"ContinuationToken,omitempty"`
	Items    []*setting.Inventory `xml:"InventoryConfiguration"`
	More     bool                 `xml:"IsTruncated"`
	NextPage string               `xml:"NextContinuationToken,omitempty"`
}

// inventoryPage is how many inventories S3 lists at once.
const inventoryPage = 100

// getBucketInventoryConfiguration lists all, page by page, when it names none.
// The token of a page is the last id before it.
func (c *call) getBucketInventoryConfiguration() error {
	if !c.query.Has("id") {
		out := inventoriesXML{Token: c.query.Get("continuation-token")}
		for _, v := range c.settings.Inventories {
			switch {
			case v.ID <= out.Token:
			case len(out.Items) == inventoryPage:
				out.More, out.NextPage = true, out.Items[inventoryPage-1].ID
			default:
				out.Items = append(out.Items, v)
			}
		}
		c.xml(http.StatusOK, out)
		return nil
	}
	doc, ok := c.b.Settings[setting.InventoryName(c.query.Get("id"))]
	if !ok {
		return noSuchConfiguration
	}
	c.document(doc)
	return nil
}

var noSuchConfiguration = fault.New(fault.Missing, "NoSuchConfiguration", "The specified configuration does not exist.")
