package ec2

import "karri/shared/action"

// absent lists the reads of features that Karri has not. Each answers an empty
// list, so that tools which look before they act go on; the writes of the same
// features answer UnsupportedOperation. A request that names a thing in param
// gets code, since no such thing can exist. Whoever builds a feature takes its
// line away.
var absent = []struct{ name, what, param, code string }{
	{"DescribeAddressTransfers", "transfers of addresses between accounts", "", ""},
	{"DescribeBundleTasks", "bundle tasks", "BundleIds", "InvalidBundleID.NotFound"},
	{"DescribeByoipCidrs", "address ranges that users brought", "", ""},
	{"DescribeCapacityReservationFleets", "fleets of capacity reservations", "CapacityReservationFleetIds", "InvalidCapacityReservationFleetId.NotFound"},
	{"DescribeCapacityReservations", "capacity reservations", "CapacityReservationIds", "InvalidCapacityReservationId.NotFound"},
	{"DescribeCarrierGateways", "carrier gateways", "CarrierGatewayIds", "InvalidCarrierGatewayID.NotFound"},
	{"DescribeClassicLinkInstances", "instances linked to a VPC from outside", "", ""},
	{"DescribeClientVpnEndpoints", "client VPN endpoints", "ClientVpnEndpointIds", "InvalidClientVpnEndpointId.NotFound"},
	{"DescribeCoipPools", "pools of customer-owned addresses", "PoolIds", "InvalidPoolID.NotFound"},
	{"DescribeConversionTasks", "conversion tasks", "ConversionTaskIds", "InvalidConversionTaskId"},
	{"DescribeCustomerGateways", "customer gateways", "CustomerGatewayIds", "InvalidCustomerGatewayID.NotFound"},
	{"DescribeEgressOnlyInternetGateways", "egress-only internet gateways", "EgressOnlyInternetGatewayIds", "InvalidGatewayID.NotFound"},
	{"DescribeElasticGpus", "elastic GPUs", "ElasticGpuIds", "InvalidElasticGpuID.NotFound"},
	{"DescribeExportImageTasks", "tasks that export images", "ExportImageTaskIds", "InvalidExportTaskID.NotFound"},
	{"DescribeExportTasks", "tasks that export instances", "ExportTaskIds", "InvalidExportTaskID.NotFound"},
	{"DescribeFastLaunchImages", "images made ready for faster launching", "", ""},
	{"DescribeFastSnapshotRestores", "fast snapshot restores", "", ""},
	{"DescribeFleets", "fleets", "FleetIds", "InvalidFleetId.NotFound"},
	{"DescribeFlowLogs", "flow logs", "FlowLogIds", "InvalidFlowLogId.NotFound"},
	{"DescribeFpgaImages", "FPGA images", "FpgaImageIds", "InvalidFpgaImageID.NotFound"},
	{"DescribeHostReservations", "host reservations", "HostReservationIdSet", "InvalidHostReservationId.NotFound"},
	{"DescribeHosts", "dedicated hosts", "HostIds", "InvalidHostID.NotFound"},
	{"DescribeImportImageTasks", "tasks that import images", "ImportTaskIds", "InvalidConversionTaskId"},
	{"DescribeImportSnapshotTasks", "tasks that import snapshots", "ImportTaskIds", "InvalidConversionTaskId"},
	{"DescribeInstanceConnectEndpoints", "instance connect endpoints", "InstanceConnectEndpointIds", "InvalidInstanceConnectEndpointId.NotFound"},
	{"DescribeInstanceCreditSpecifications", "CPU credits of burstable instances", "", ""},
	{"DescribeInstanceEventWindows", "windows for scheduled events", "InstanceEventWindowIds", "InvalidInstanceEventWindowID.NotFound"},
	{"DescribeIpamPools", "pools of the address manager", "IpamPoolIds", "InvalidIpamPoolId.NotFound"},
	{"DescribeIpamScopes", "scopes of the address manager", "IpamScopeIds", "InvalidIpamScopeId.NotFound"},
	{"DescribeIpams", "address managers", "IpamIds", "InvalidIpamId.NotFound"},
	{"DescribeIpv6Pools", "pools of IPv6 addresses", "PoolIds", "InvalidPoolID.NotFound"},
	{"DescribeLaunchTemplateVersions", "versions of launch templates", "LaunchTemplateId", "InvalidLaunchTemplateId.NotFound"},
	{"DescribeLaunchTemplates", "launch templates", "LaunchTemplateIds", "InvalidLaunchTemplateId.NotFound"},
	{"DescribeLaunchTemplates", "launch templates", "LaunchTemplateNames", "InvalidLaunchTemplateName.NotFoundException"},
	{"DescribeLocalGatewayRouteTables", "route tables of local gateways", "LocalGatewayRouteTableIds", "InvalidLocalGatewayRouteTableID.NotFound"},
	{"DescribeLocalGateways", "local gateways", "LocalGatewayIds", "InvalidLocalGatewayID.NotFound"},
	{"DescribeManagedPrefixLists", "managed prefix lists", "PrefixListIds", "InvalidPrefixListID.NotFound"},
	{"DescribeMovingAddresses", "addresses on the move", "", ""},
	{"DescribeNatGateways", "NAT gateways", "NatGatewayIds", "NatGatewayNotFound"},
	{"DescribeNetworkInsightsAnalyses", "network analyses", "NetworkInsightsAnalysisIds", "InvalidNetworkInsightsAnalysisId.NotFound"},
	{"DescribeNetworkInsightsPaths", "network paths to analyse", "NetworkInsightsPathIds", "InvalidNetworkInsightsPathId.NotFound"},
	{"DescribeNetworkInterfacePermissions", "permissions of network interfaces", "NetworkInterfacePermissionIds", "InvalidPermissionID.NotFound"},
	{"DescribePlacementGroups", "placement groups", "GroupIds", "InvalidPlacementGroupId.NotFound"},
	{"DescribePlacementGroups", "placement groups", "GroupNames", "InvalidPlacementGroup.Unknown"},
	{"DescribePrefixLists", "prefix lists", "PrefixListIds", "InvalidPrefixListID.NotFound"},
	{"DescribePublicIpv4Pools", "pools of public addresses of users", "PoolIds", "InvalidPublicIpv4PoolID.NotFound"},
	{"DescribeReplaceRootVolumeTasks", "tasks that replace root volumes", "ReplaceRootVolumeTaskIds", "InvalidReplaceRootVolumeTaskId.NotFound"},
	{"DescribeReservedInstances", "reserved instances", "ReservedInstancesIds", "InvalidReservedInstancesID"},
	{"DescribeReservedInstancesListings", "reserved instances for sale", "ReservedInstancesListingId", "InvalidReservedInstancesListingId"},
	{"DescribeReservedInstancesModifications", "changes of reserved instances", "ReservedInstancesModificationIds", "InvalidReservedInstancesModificationId"},
	{"DescribeReservedInstancesOfferings", "offerings of reserved instances", "ReservedInstancesOfferingIds", "InvalidReservedInstancesOfferingId"},
	{"DescribeScheduledInstances", "scheduled instances", "ScheduledInstanceIds", "InvalidScheduledInstance"},
	{"DescribeSnapshotTierStatus", "archived snapshots", "", ""},
	{"DescribeSpotFleetRequests", "spot fleets", "SpotFleetRequestIds", "InvalidSpotFleetRequestId.NotFound"},
	{"DescribeSpotInstanceRequests", "spot requests", "SpotInstanceRequestIds", "InvalidSpotInstanceRequestID.NotFound"},
	{"DescribeSpotPriceHistory", "prices of the spot market", "", ""},
	{"DescribeStoreImageTasks", "tasks that store images in buckets", "", ""},
	{"DescribeTrafficMirrorFilters", "traffic mirror filters", "TrafficMirrorFilterIds", "InvalidTrafficMirrorFilterId.NotFound"},
	{"DescribeTrafficMirrorSessions", "traffic mirror sessions", "TrafficMirrorSessionIds", "InvalidTrafficMirrorSessionId.NotFound"},
	{"DescribeTrafficMirrorTargets", "traffic mirror targets", "TrafficMirrorTargetIds", "InvalidTrafficMirrorTargetId.NotFound"},
	{"DescribeTransitGatewayAttachments", "attachments of transit gateways", "TransitGatewayAttachmentIds", "InvalidTransitGatewayAttachmentID.NotFound"},
	{"DescribeTransitGatewayPeeringAttachments", "peerings of transit gateways", "TransitGatewayAttachmentIds", "InvalidTransitGatewayAttachmentID.NotFound"},
	{"DescribeTransitGatewayRouteTables", "route tables of transit gateways", "TransitGatewayRouteTableIds", "InvalidRouteTableID.NotFound"},
	{"DescribeTransitGatewayVpcAttachments", "VPCs at transit gateways", "TransitGatewayAttachmentIds", "InvalidTransitGatewayAttachmentID.NotFound"},
	{"DescribeTransitGateways", "transit gateways", "TransitGatewayIds", "InvalidTransitGatewayID.NotFound"},
	{"DescribeTrunkInterfaceAssociations", "trunk interfaces", "AssociationIds", "InvalidTrunkInterfaceAssociationId.NotFound"},
	{"DescribeVerifiedAccessEndpoints", "verified access endpoints", "VerifiedAccessEndpointIds", "InvalidVerifiedAccessEndpointId.NotFound"},
	{"DescribeVolumesModifications", "changes of volumes", "VolumeIds", "InvalidVolumeModification.NotFound"},
	{"DescribeVpcEndpointConnectionNotifications", "notifications of endpoint connections", "ConnectionNotificationId", "InvalidConnectionNotification"},
	{"DescribeVpcEndpointConnections", "connections to endpoint services", "", ""},
	{"DescribeVpcEndpointServiceConfigurations", "endpoint services of users", "ServiceIds", "InvalidVpcEndpointServiceId.NotFound"},
	{"DescribeVpcEndpointServices", "endpoint services", "ServiceNames", "InvalidServiceName"},
	{"DescribeVpcEndpoints", "VPC endpoints", "VpcEndpointIds", "InvalidVpcEndpointId.NotFound"},
	{"DescribeVpcPeeringConnections", "peerings of VPCs", "VpcPeeringConnectionIds", "InvalidVpcPeeringConnectionID.NotFound"},
	{"DescribeVpnConnections", "VPN connections", "VpnConnectionIds", "InvalidVpnConnectionID.NotFound"},
	{"DescribeVpnGateways", "VPN gateways", "VpnGatewayIds", "InvalidVpnGatewayID.NotFound"},
	{"ListImagesInRecycleBin", "deregistered images kept for a while", "ImageIds", "InvalidAMIID.NotFound"},
	{"ListSnapshotsInRecycleBin", "deleted snapshots kept for a while", "SnapshotIds", "InvalidSnapshot.NotFound"},
}

func init() {
	missing := map[string]map[string]string{}
	for _, a := range absent {
		if missing[a.name] == nil {
			missing[a.name] = map[string]string{}
		}
		if a.param != "" {
			missing[a.name][a.param] = a.code
		}
	}
	done := map[string]bool{}
	for _, a := range absent {
		if !done[a.name] {
			action.Empty(Catalog, a.name, "Lists "+a.what+", of which Karri has none.", missing[a.name])
		}
		done[a.name] = true
	}
}
