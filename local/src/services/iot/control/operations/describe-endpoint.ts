import type { DescribeEndpointCommandInput, DescribeEndpointResponse } from '@aws-sdk/client-iot';
import { operation } from '../../../../kernel/define.ts';
import type { AnyOperation } from '../../../../kernel/service.ts';
import { type ControlPlane, onAll } from '../control-plane.ts';
import { invalidRequest, optionNotEmulated } from '../errors.ts';

/** Types that AWS has, but that lead to nothing here. */
const NOT_EMULATED = ['iot:Jobs', 'iot:DeviceAdvisor', 'iot:Data-Beta'];

/**
 * The host that devices connect to (https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeEndpoint.html). The
 * port is not part of the answer: on AWS it is fixed, here the runtime chooses it.
 */
export function describeEndpoint(plane: ControlPlane): AnyOperation {
  return operation<DescribeEndpointCommandInput, DescribeEndpointResponse>({
    permissions: () => onAll('DescribeEndpoint'),
    run({ endpointType }) {
      if (endpointType === 'iot:Data-ATS' || endpointType === 'iot:CredentialProvider') {
        return { endpointAddress: plane.endpoint };
      }
      if (endpointType === undefined || endpointType === 'iot:Data') {
        throw invalidRequest(`The endpoint type ${endpointType ?? 'iot:Data'} is retired; use iot:Data-ATS`);
      }
      if (NOT_EMULATED.includes(endpointType)) throw optionNotEmulated(`the endpoint type ${endpointType}`);
      throw invalidRequest(`${endpointType} is not an endpoint type; iot:Data-ATS and iot:CredentialProvider are`);
    },
  });
}
