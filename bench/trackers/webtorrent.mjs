// Runs bittorrent-tracker's server alone: its own command also loads the client, which needs a native WebRTC library.
import Server from 'bittorrent-tracker/server'

const server = new Server({ http: true, udp: false, ws: false, trustProxy: true })
server.on('error', (error) => console.error(error.message))
server.listen(Number(process.argv[2]), '127.0.0.1')
