package ec2

import (
	"context"

	"karri/cloudctl/store"
	"karri/shared/action"
	"karri/shared/id"
)

// DescribeInstancesInput narrows the list of the caller's instances.
type DescribeInstancesInput struct {
	InstanceIds []string
	Filters     []action.Filter
	MaxResults  *int
	NextToken   *string
}

// DescribeInstancesOutput is a page of the caller's instances.
type DescribeInstancesOutput struct {
	Reservations []Reservation
	NextToken    *string
}

var _ = action.Add(Catalog, action.Def[*API, DescribeInstancesInput, DescribeInstancesOutput]{
	Name:    "DescribeInstances",
	Doc:     "Lists instances, those that ended within the last hour included.",
	Example: DescribeInstancesInput{InstanceIds: []string{"i-1a2b3c4d5e6f70819"}, Filters: []action.Filter{{Name: "instance-state-name", Values: []string{"running"}}}},
	On:      action.Own[*API, DescribeInstancesInput],
	List:    &action.List{Filters: instanceFields.names()},
	Run:     describeInstances,
})

// instanceFields are the filters of instances.
var instanceFields = fields[*described]{
	"architecture":                   func(d *described) []string { return is(d.Architecture) },
	"availability-zone":              func(d *described) []string { return is(d.Placement.AvailabilityZone) },
	"client-token":                   func(d *described) []string { return isOpt(d.ClientToken) },
	"dns-name":                       func(d *described) []string { return is(d.PublicDnsName) },
	"hypervisor":                     func(d *described) []string { return is(d.Hypervisor) },
	"image-id":                       func(d *described) []string { return is(d.ImageId) },
	"instance-id":                    func(d *described) []string { return is(d.InstanceId) },
	"instance-lifecycle":             func(*described) []string { return nil },
	"instance-state-code":            func(d *described) []string { return isInt(d.State.Code) },
	"instance-state-name":            func(d *described) []string { return is(d.State.Name) },
	"instance-type":                  func(d *described) []string { return is(d.InstanceType) },
	"ip-address":                     func(d *described) []string { return isOpt(d.PublicIpAddress) },
	"key-name":                       func(d *described) []string { return isOpt(d.KeyName) },
	"launch-index":                   func(d *described) []string { return isInt(d.AmiLaunchIndex) },
	"launch-time":                    func(d *described) []string { return is(d.LaunchTime.UTC().Format("2006-01-02T15:04:05.000Z")) },
	"metadata-options.http-endpoint": func(d *described) []string { return is(d.MetadataOptions.HttpEndpoint) },
	"metadata-options.http-tokens":   func(d *described) []string { return is(d.MetadataOptions.HttpTokens) },
	"monitoring-state":               func(d *described) []string { return is(d.Monitoring.State) },
	"owner-id":                       func(d *described) []string { return is(d.owner) },
	"platform":                       func(*described) []string { return nil },
	"private-dns-name":               func(d *described) []string { return is(d.PrivateDnsName) },
	"private-ip-address":             func(d *described) []string { return isOpt(d.PrivateIpAddress) },
	"reservation-id":                 func(d *described) []string { return is(d.reservation) },
	"root-device-name":               func(d *described) []string { return is(d.RootDeviceName) },
	"root-device-type":               func(d *described) []string { return is(d.RootDeviceType) },
	"state-reason-code":              func(d *described) []string { return is(val(d.StateReason).Code) },
	"subnet-id":                      func(d *described) []string { return isOpt(d.SubnetId) },
	"tenancy":                        func(d *described) []string { return is(d.Placement.Tenancy) },
	"virtualization-type":            func(d *described) []string { return is(d.VirtualizationType) },
	"vpc-id":                         func(d *described) []string { return isOpt(d.VpcId) },
	"group-id":                       func(d *described) []string { return each(d.SecurityGroups, groupID) },
	"group-name":                     func(d *described) []string { return each(d.SecurityGroups, groupName) },
	"instance.group-id":              func(d *described) []string { return each(d.SecurityGroups, groupID) },
	"instance.group-name":            func(d *described) []string { return each(d.SecurityGroups, groupName) },
	"iam-instance-profile.arn":       func(d *described) []string { return isOpt(opt(val(d.IamInstanceProfile).Arn)) },
	"iam-instance-profile.id":        func(d *described) []string { return isOpt(opt(val(d.IamInstanceProfile).Id)) },
	"network-interface.group-id":     func(d *described) []string { return each(d.SecurityGroups, groupID) },
	"spot-instance-request-id":       func(*described) []string { return nil },
	"network-interface.addresses.private-ip-address": func(d *described) []string {
		return each(d.NetworkInterfaces, func(n InstanceNetworkInterface) string { return n.PrivateIpAddress })
	},
	"network-interface.mac-address": func(d *described) []string {
		return each(d.NetworkInterfaces, func(n InstanceNetworkInterface) string { return n.MacAddress })
	},
	"network-interface.network-interface-id": func(d *described) []string {
		return each(d.NetworkInterfaces, func(n InstanceNetworkInterface) string { return n.NetworkInterfaceId })
	},
	"network-interface.subnet-id": func(d *described) []string {
		return each(d.NetworkInterfaces, func(n InstanceNetworkInterface) string { return n.SubnetId })
	},
	"network-interface.vpc-id": func(d *described) []string {
		return each(d.NetworkInterfaces, func(n InstanceNetworkInterface) string { return n.VpcId })
	},
	"block-device-mapping.device-name": func(d *described) []string {
		return each(d.BlockDeviceMappings, func(b InstanceBlockDeviceMapping) string { return b.DeviceName })
	},
	"block-device-mapping.status": func(d *described) []string {
		return each(d.BlockDeviceMappings, func(b InstanceBlockDeviceMapping) string { return b.Ebs.Status })
	},
	"block-device-mapping.volume-id": func(d *described) []string {
		return each(d.BlockDeviceMappings, func(b InstanceBlockDeviceMapping) string { return b.Ebs.VolumeId })
	},
	"source-dest-check": func(d *described) []string {
		if d.SourceDestCheck == nil {
			return nil
		}
		return isBool(*d.SourceDestCheck)
	},
}

func groupID(g GroupIdentifier) string   { return val(g.GroupId) }
func groupName(g GroupIdentifier) string { return val(g.GroupName) }

// described is an instance with its row and what its reservation adds.
type described struct {
	Instance
	row                *store.Instance
	owner, reservation string
}

func describeInstances(ctx context.Context, api *API, who action.Caller, in *DescribeInstancesInput) (*DescribeInstancesOutput, error) {
	if len(in.InstanceIds) > 0 && in.MaxResults != nil {
		return nil, combination("The parameter instancesSet cannot be used with the parameter maxResults")
	}
	out := &DescribeInstancesOutput{Reservations: []Reservation{}}
	err := api.Store.View(ctx, func(tx *store.Tx) error {
		s, all, err := api.instances(tx, who.Account, in.InstanceIds)
		if err != nil {
			return err
		}
		all = instanceFields.pick(in.Filters, all, func(d *described) []Tag { return d.Tags })
		page, next, err := action.Page(ctx, all, func(d *described) string { return launchOrder(d.row) })
		if err != nil {
			return err
		}
		out.NextToken = next
		rows := make([]store.Instance, 0, len(page))
		for _, d := range page {
			rows = append(rows, *d.row)
		}
		out.Reservations = s.reservations(rows)
		return nil
	})
	return out, err
}

// instances returns the instances of an account, or those of them that are
// named, as answers show them.
func (api *API) instances(tx *store.Tx, account string, names []string) (*scene, []*described, error) {
	if _, err := parseAll[id.Instance](names); err != nil {
		return nil, nil, err
	}
	s, err := api.scene(tx, account)
	if err != nil {
		return nil, nil, err
	}
	rows, err := tx.InstancesOf(account)
	if err != nil {
		return nil, nil, err
	}
	all := make([]*described, 0, len(rows))
	for n := range rows {
		i := &rows[n]
		all = append(all, &described{Instance: s.instance(i), row: i, owner: i.Account, reservation: string(i.Reservation)})
	}
	all, err = wanted(names, all, func(d *described) string { return d.InstanceId }, func(name string) error {
		_, err := tx.Instance(account, id.Instance(name))
		return err
	})
	return s, all, err
}
