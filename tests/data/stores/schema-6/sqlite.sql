BEGIN TRANSACTION;
CREATE TABLE blobs (
        key TEXT PRIMARY KEY, content_type TEXT NOT NULL, size INTEGER NOT NULL, etag TEXT NOT NULL,
        keep_until INTEGER NOT NULL, owner TEXT, recipe TEXT, facts TEXT);
INSERT INTO "blobs" VALUES('D049DD4174354C078C7FC1971F2BB4D9FFD0E120585DB554CABC87512D115F4C','image/png',0,'',3373598520000000,'civitai-1','{"painter":1,"job":"2f87b2dc-7e7a-4091-9d06-d39320db0fff","node":"SaveImage","index":0,"content":"blank"}',NULL);
INSERT INTO "blobs" VALUES('1B70C8412CE77A4A1F0BD559E83A3CF481F9DED2707F345FEA4A82CEE5BC1EA6','image/png',0,'',3373598520000000,'civitai-1','{"painter":1,"job":"2f87b2dc-7e7a-4091-9d06-d39320db0fff","node":"SaveImage","index":1,"content":"blank"}',NULL);
INSERT INTO "blobs" VALUES('291E41C377B0D535C2FEBB1BC8C3017D3F264AF01F1641A346B9D7F74525D080','image/png',0,'',3373598521000000,'civitai-1','{"painter":1,"job":"c4d52a59-e60a-40de-99da-74552c637902","node":"SaveImage","index":0,"content":"blank"}',NULL);
CREATE TABLE "jobs" (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, issued_by TEXT NOT NULL,
        submission_id TEXT NOT NULL, cost REAL NOT NULL, charged INTEGER NOT NULL, priority INTEGER NOT NULL,
        created_at INTEGER NOT NULL, expire_at INTEGER NOT NULL, keep_until INTEGER NOT NULL,
        slots TEXT NOT NULL, seq INTEGER NOT NULL, changed_at INTEGER NOT NULL, stage TEXT NOT NULL,
        retry_attempt INTEGER NOT NULL, outcome TEXT, provider TEXT, worker_id TEXT, claimed_at INTEGER,
        lease_until INTEGER, prompt_id TEXT, waits INTEGER NOT NULL, result TEXT, taint TEXT,
        callback_due_at INTEGER, callback_told INTEGER NOT NULL DEFAULT -1,
        callback_failures INTEGER NOT NULL DEFAULT 0);
INSERT INTO "jobs" VALUES(1,'2f87b2dc-7e7a-4091-9d06-d39320db0fff','TextToImageV2','civitai-1','b3c337ef-5f51-484e-8def-6cfe97e9edb4',0.004,1,0,3373512120000000,3373598520000000,3373598520000000,'[[null,7,true],[null,7,true]]',4,3373512120000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'64f47ce7-e32b-4917-9714-eaa822e0d372',0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(2,'c4d52a59-e60a-40de-99da-74552c637902','Comfy','civitai-1','fed49577-4b24-42d5-b343-3b2f10f72422',1.0,1,0,3373512121000000,3373598521000000,3373598521000000,'[[null,1234567890,true,"SaveImage_0.png"]]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,'1aa4ac20-073a-4303-9c06-07a629f536e3',0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(3,'16a1c25a-01b9-42b7-b0a9-d20d7dcd689f','WDTagging','civitai-1','2c007c3f-0dbd-4d07-b1f2-a6faa507b04b',1.0,1,0,3373512122000000,3373598522000000,3373598522000000,'[]',4,3373512122000000,'COMFY_RESULT',0,'SUCCEEDED',NULL,NULL,NULL,NULL,NULL,0,'{"tags":{"solo":0.8754,"snow":0.8445,"flower":0.8444,"smile":0.8292,"brown_hair":0.7789,"tree":0.6779,"grass":0.6164,"night":0.5493,"blue_sky":0.5368,"day":0.5103},"rating":{"general":0.9121,"sensitive":0.0279,"questionable":0.0306,"explicit":0.0293}}',NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(4,'e7fa172c-aab6-4b15-82fc-3adf8ffae993','TextToImageV2','civitai-1','8d7089bd-7800-40aa-9e63-a284fe1c23cd',0.002,1,0,3373512123000000,3373598523000000,3373598523000000,'[[null,7,false]]',0,3373512123000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,3373512123000000,-1,0);
INSERT INTO "jobs" VALUES(5,'4e3a6a3a-8c29-4692-bb65-11352e6327b3','TextToImageV2','civitai-1','fe4a9d8e-cf5b-4ea7-89ef-a0543187eb06',0.002,1,0,3373512123000000,3373598523000000,3373598523000000,'[[null,7,false]]',0,3373512123000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(6,'8d261fd7-22ed-4934-8af5-15f6e612e7b7','TextToImageV2','civitai-1','fe4a9d8e-cf5b-4ea7-89ef-a0543187eb06',0.002,1,0,3373512123000000,3373598523000000,3373598523000000,'[[null,7,false]]',0,3373512123000000,'QUEUED',0,NULL,NULL,NULL,NULL,NULL,NULL,1,NULL,NULL,NULL,-1,0);
INSERT INTO "jobs" VALUES(7,'ec3158a2-b961-44a0-9d87-783acb95cb96','TextToImageV2','civitai-1','f8d1ab86-6ed3-4563-b488-5c68ad584f28',0.002,1,0,3373512124000000,3373598524000000,3373598524000000,'[[null,7,false]]',1,3373512124000000,'QUEUED',0,'DELETED',NULL,NULL,NULL,NULL,NULL,0,NULL,NULL,NULL,-1,0);
CREATE TABLE "jobs jobEvent" (
        job INTEGER NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (job, seq)) WITHOUT ROWID
    ;
INSERT INTO "jobs jobEvent" VALUES(1,4,X'E5D7410A02310C05D01315D2B4C96F8FD3C9A467F0F8B60B41450775061124BBBF490859BC3C262B0D36CCBAA3C392118D8B5043DA47D5171BECB6C96952E670A1FEC8F4EFD04A73CF3047F0C4E37A6A44A88839786B85D9694D182FD82DBF9EE9EB5399FEF9DAAED03A1139D1AA1AF512CF6CDBA8DF626C5112B00BB1D4967AEFB6C294505DD4B0C44DE69E01');
INSERT INTO "jobs jobEvent" VALUES(2,4,X'C5D6C10EC2200C06E077F13C9242A1D0C7F9C7E0FD1F41D80EEA349BC64DE981C0A5A46DC2F79AACD4D8D0634587D1479B5D0A84C8DF51F5CD04FB3699BFDBCB090AFDE10B3F2192053CB2234391613C131BCD24ED08715A034BE127461D2C4C4BF31AD6FBEEBC1CD1CE7F15EB8E9C9D8037722EE0EB77DBC23C0FA1BD0F0F0E4DA18D026A92EA59C3A865524CD61104526C954DA75E01');
INSERT INTO "jobs jobEvent" VALUES(3,4,X'C3DE643500361B4010ADE99064626E986C64616A90686E4C595395480B08B74DCA5D4212D3D381ED7448970D67A3925616E26E87D1C04694C646A2A981B98971B2519AA9454AB26162AA59AA658AA9B1A1695A5AA2B181B1511A30406201');
INSERT INTO "jobs jobEvent" VALUES(7,1,X'0336595D5273804507A8211118EA1A0A6A481A0021B8EE86526076756D6C2C00');
CREATE TABLE "jobs leaves" (
        leaf TEXT NOT NULL, born INTEGER NOT NULL, submission TEXT NOT NULL, job TEXT NOT NULL,
        PRIMARY KEY (leaf, born, submission, job)) WITHOUT ROWID
    ;
INSERT INTO "jobs leaves" VALUES('03517b531670bfdaabdc65f7eeed1317',3373512120000000,'b3c337ef-5f51-484e-8def-6cfe97e9edb4','2f87b2dc-7e7a-4091-9d06-d39320db0fff');
INSERT INTO "jobs leaves" VALUES('15a8ce87375302c4cb9de8a869247ddf',3373512120000000,'b3c337ef-5f51-484e-8def-6cfe97e9edb4','2f87b2dc-7e7a-4091-9d06-d39320db0fff');
CREATE TABLE "jobs requests" (job INTEGER PRIMARY KEY, body TEXT NOT NULL);
INSERT INTO "jobs requests" VALUES(1,'{"trace_id":"00-860572e50259a3fffcd7c6079e56c7b1-521524ab8c2de559-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":2},"properties":{"userId":7,"tags":["x"]},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
INSERT INTO "jobs requests" VALUES(2,'{"trace_id":"00-8529faf86f4395b9ed9ad120a6a6e1f6-73d2bce0f17d7b56-00","timeout":600000000,"max_retry_attempt":5,"request":{"params":{"workflow":{"CheckpointLoaderSimple":{"class_type":"CheckpointLoaderSimple","inputs":{"ckpt_name":"sd1/civitai/4384/128713.safetensors"},"_meta":{}},"EmptyLatentImage":{"class_type":"EmptyLatentImage","inputs":{"width":64,"height":64,"batch_size":1},"_meta":{}},"CLIPTextEncode":{"class_type":"CLIPTextEncode","inputs":{"text":"a lighthouse over a stormy sea at night, oil painting","clip":["CLIPSetLastLayer",0]},"_meta":{}},"CLIPTextEncode_1":{"class_type":"CLIPTextEncode","inputs":{"text":"blurry, low quality","clip":["CLIPSetLastLayer",0]},"_meta":{}},"KSampler":{"class_type":"KSampler","inputs":{"sampler_name":"euler_ancestral","scheduler":"normal","seed":1234567890,"steps":20,"cfg":7,"denoise":1,"latent_image":["EmptyLatentImage",0],"model":["LoraLoader",0],"positive":["CLIPTextEncode",0],"negative":["CLIPTextEncode_1",0]},"_meta":{}},"VAEDecode":{"class_type":"VAEDecode","inputs":{"samples":["KSampler",0],"vae":["CheckpointLoaderSimple",2]},"_meta":{}},"SaveImage":{"class_type":"SaveImage","inputs":{"filename_prefix":"c8a70639-eb11-47b3-a7a9-c3787c65c1e5","images":["VAEDecode",0]},"_meta":{}},"LoraLoader":{"class_type":"LoraLoader","inputs":{"lora_name":"lora/sd1/civitai/82098/87153.safetensors","strength_model":0.8,"strength_clip":0.8,"model":["CheckpointLoaderSimple",0],"clip":["CheckpointLoaderSimple",1]},"_meta":{}},"CLIPSetLastLayer":{"class_type":"CLIPSetLastLayer","inputs":{"stop_at_clip_layer":-2,"clip":["LoraLoader",1]},"_meta":{}}}},"files":{}},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(3,'{"trace_id":"00-a50743c2f58dc1ae6e9d5315ffa3032f-6232987ff175e277-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"wd-v1-4-vit-tagger-v2","mediaUrl":"https://example.com/a.png","threshold":0.5},"properties":{},"resources":[]}');
INSERT INTO "jobs requests" VALUES(4,'{"trace_id":"00-363b999c07be8eda541a149e38d04b30-a7e8be87f4f23cbe-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"callback_url":"http://127.0.0.1:9/hook?jobId=1"}');
INSERT INTO "jobs requests" VALUES(5,'{"trace_id":"00-b60139d053752090a94bdab246e93b6d-a52c5cfaa3834c71-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"a"}');
INSERT INTO "jobs requests" VALUES(6,'{"trace_id":"00-b60139d053752090a94bdab246e93b6d-a52c5cfaa3834c71-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]],"name":"b","dependencies":["4e3a6a3a-8c29-4692-bb65-11352e6327b3"]}');
INSERT INTO "jobs requests" VALUES(7,'{"trace_id":"00-e872e471f1b11e3e895501b2798d12ee-a95af36648a2893a-00","timeout":600000000,"max_retry_attempt":5,"request":{"model":"urn:air:sdxl:checkpoint:civitai:101055@128078","modelKind":"sdxl","params":{"prompt":"a fox <lora:fox:0.5>","negativePrompt":"a dog","scheduler":"EulerA","steps":4,"cfgScale":7,"width":64,"height":64,"seed":7,"clipSkip":1},"additionalNetworks":{},"controlNets":[],"quantity":1},"properties":{},"resources":[[{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"sdxl/civitai/101055/128078.safetensors",[],["d4b89247ee54185ba1dcc1acc0bb2e1a2e9333d7f53ce651a19b8b76cb520a95","e6bb9ea85bbf7bf6478a7c6d18b71246f22e95d41bcdd80ed40aa212c33cfeff","be9edd61"]]]}');
CREATE TABLE "jobs texts" (job INTEGER PRIMARY KEY, body BLOB NOT NULL);
INSERT INTO "jobs texts" VALUES(1,X'EDD63D0E80200C06D0AB7801920202721CB476F5FE9B854423C4C43F8C8B234CA4A5EF6B0AA5F7D1DA8615483026BA056560BDED966DB9002B5BE994A9A58EB87884456868E25666621C065555AE428313CFF7B5177CE8547468E12936ABAA4E59E97F916E88A4A873BDC241B8D105D18297C2235881DA6B05D803115D13897B5C6B415E666D670336E95B951B70BC3D1D5E77329FB99D01');
INSERT INTO "jobs texts" VALUES(2,X'ED974D0E82301046AF3207A0810AFDE13843D344926AB5404C6FEFB40B23E246425C28CB66369D64E67D6F7228FD05B46443DD3F98955F5F4416824BB43CFA69B0E049360081922C9C220C16014738A77A01BE7770411AAF7C7BCCF1B28CC677F3BF29E13A3785100B70FE0657BA4BFA31AEFBD5EFE36E261D3BE25620CE685495AC5B663BCE59A3BA9AA1C296995A6965A430DC8ACF1047FBB3957127FF2E9FF54B1FAA5697645FE245BF72A8EEDEBD901ECA9B3B');
CREATE TABLE "resources" (
        key TEXT PRIMARY KEY, source TEXT NOT NULL, version TEXT, id TEXT NOT NULL,
        search TEXT NOT NULL, body TEXT NOT NULL);
INSERT INTO "resources" VALUES('urn:air:sd1:checkpoint:civitai:4384@128713','civitai','128713','4384','urn:air:sd1:checkpoint:civitai:4384@128713
dreamshaper
dreamshaper
8
base model
art style','{"air":{"source":"civitai","id":"4384","ecosystem":"sd1","type":"checkpoint","version":"128713","format":null},"fields":{"size":2132625894,"hashes":{"AutoV2":"879DB523C3","SHA256":"879DB523C30D3B9017143D56705015E15A2CB5628762C11D086FED9538ABD7FD"},"downloadUrls":["https://civitai.com/api/download/models/128713"],"modelName":"DreamShaper","resourceName":"DreamShaper","versionName":"8","tags":["base model","art style"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:checkpoint:civitai:4201@130072','civitai','130072','4201','urn:air:sd1:checkpoint:civitai:4201@130072
realistic vision v6.0 b1
realistic vision v6.0 b1
v5.1 (vae)
base model
photorealistic','{"air":{"source":"civitai","id":"4201","ecosystem":"sd1","type":"checkpoint","version":"130072","format":null},"fields":{"size":0,"hashes":{"AutoV2":"15012C538F"},"downloadUrls":["https://civitai.com/api/download/models/130072"],"modelName":"Realistic Vision V6.0 B1","resourceName":"Realistic Vision V6.0 B1","versionName":"V5.1 (VAE)","tags":["base model","photorealistic"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:lora:civitai:82098@87153','civitai','87153','82098','urn:air:sd1:lora:civitai:82098@87153
add more details - detail enhancer / tweaker (细节调整) lora
add more details - detail enhancer / tweaker (细节调整) lora
v1.0
detail','{"air":{"source":"civitai","id":"82098","ecosystem":"sd1","type":"lora","version":"87153","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/87153"],"modelName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","resourceName":"Add More Details - Detail Enhancer / Tweaker (细节调整) LoRA","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:embedding:civitai:7808@9208','civitai','9208','7808','urn:air:sd1:embedding:civitai:7808@9208
easynegative
easynegative
easynegative
negative','{"air":{"source":"civitai","id":"7808","ecosystem":"sd1","type":"embedding","version":"9208","format":null},"fields":{"size":0,"hashes":{"AutoV2":"C74B4E810B","SHA256":"C74B4E810B030F6B75FDE959E2DB678C268D07115B85356D3C0138BA5EB42340"},"downloadUrls":["https://civitai.com/api/download/models/9208"],"modelName":"EasyNegative","resourceName":"EasyNegative","versionName":"EasyNegative","trainedWords":["easynegative"],"tags":["negative"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sd1:vae:civitai:276082@311162','civitai','311162','276082','urn:air:sd1:vae:civitai:276082@311162
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840000-ema-pruned | 840000 | 840k sd1.5 vae
vae-ft-mse-840k
vae','{"air":{"source":"civitai","id":"276082","ecosystem":"sd1","type":"vae","version":"311162","format":null},"fields":{"size":334641190,"hashes":{"AutoV2":"735E4C3A44","SHA256":"735E4C3A447A3255760D7F86845F09F937809BAA529C17370D83E4C3758F3C75"},"downloadUrls":["https://civitai.com/api/download/models/311162"],"modelName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","resourceName":"vae-ft-mse-840000-ema-pruned | 840000 | 840k SD1.5 VAE","versionName":"vae-ft-mse-840k","tags":["vae"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sdxl:checkpoint:civitai:101055@128078','civitai','128078','101055','urn:air:sdxl:checkpoint:civitai:101055@128078
sd xl
sd xl
v1.0 vae fix','{"air":{"source":"civitai","id":"101055","ecosystem":"sdxl","type":"checkpoint","version":"128078","format":null},"fields":{"size":6938078208,"hashes":{"AutoV1":"BE9EDD61","CRC32":"9B4D991F","AutoV2":"E6BB9EA85B","BLAKE3":"D4B89247EE54185BA1DCC1ACC0BB2E1A2E9333D7F53CE651A19B8B76CB520A95","SHA256":"E6BB9EA85BBF7BF6478A7C6D18B71246F22E95D41BCDD80ED40AA212C33CFEFF"},"downloadUrls":["https://civitai.com/api/download/models/128078"],"modelName":"SD XL","resourceName":"SD XL","versionName":"v1.0 VAE fix","checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.7,"isFeatured":false,"publishedAt":"2023-07-29T15:09:06.388Z","hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:sdxl:lora:civitai:122359@135867','civitai','135867','122359','urn:air:sdxl:lora:civitai:122359@135867
detail tweaker xl
detail tweaker xl
v1.0
detail','{"air":{"source":"civitai","id":"122359","ecosystem":"sdxl","type":"lora","version":"135867","format":null},"fields":{"size":0,"hashes":{"AutoV2":"0D9BD1B873","SHA256":"0D9BD1B873A7863E128B4672E3E245838858F71469A3CEC58123C16C06F83BD7"},"downloadUrls":["https://civitai.com/api/download/models/135867"],"modelName":"Detail Tweaker XL","resourceName":"Detail Tweaker XL","versionName":"v1.0","tags":["detail"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:pony:checkpoint:civitai:257749@290640','civitai','290640','257749','urn:air:pony:checkpoint:civitai:257749@290640
pony diffusion v6 xl
pony diffusion v6 xl
v6 (start with this one)
base model','{"air":{"source":"civitai","id":"257749","ecosystem":"pony","type":"checkpoint","version":"290640","format":null},"fields":{"size":6938041050,"hashes":{"AutoV2":"67AB2FD8EC","SHA256":"67AB2FD8EC439A89B3FEDB15CC65F54336AF163C7EB5E4F2ACC98F090A29B0B3"},"downloadUrls":["https://civitai.com/api/download/models/290640"],"modelName":"Pony Diffusion V6 XL","resourceName":"Pony Diffusion V6 XL","versionName":"V6 (start with this one)","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:illustrious:checkpoint:civitai:795765@889818','civitai','889818','795765','urn:air:illustrious:checkpoint:civitai:795765@889818
illustrious-xl
illustrious-xl
v0.1
base model
anime','{"air":{"source":"civitai","id":"795765","ecosystem":"illustrious","type":"checkpoint","version":"889818","format":null},"fields":{"size":6938040760,"hashes":{"AutoV2":"3E15BA0038","SHA256":"3E15BA00387DB678AB4A099F75771C4F5AC67FDA9E7100A01D263EAF30145AA9"},"downloadUrls":["https://civitai.com/api/download/models/889818"],"modelName":"Illustrious-XL","resourceName":"Illustrious-XL","versionName":"v0.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:noobai:checkpoint:civitai:833294@1116447','civitai','1116447','833294','urn:air:noobai:checkpoint:civitai:833294@1116447
noobai-xl (nai-xl)
noobai-xl (nai-xl)
epsilon-pred 1.1
base model
anime','{"air":{"source":"civitai","id":"833294","ecosystem":"noobai","type":"checkpoint","version":"1116447","format":null},"fields":{"size":0,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/1116447"],"modelName":"NoobAI-XL (NAI-XL)","resourceName":"NoobAI-XL (NAI-XL)","versionName":"Epsilon-pred 1.1","tags":["base model","anime"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:flux1:checkpoint:civitai:618692@691639','civitai','691639','618692','urn:air:flux1:checkpoint:civitai:618692@691639
flux
flux
dev
base model','{"air":{"source":"civitai","id":"618692","ecosystem":"flux1","type":"checkpoint","version":"691639","format":null},"fields":{"size":23802932552,"hashes":{},"downloadUrls":["https://civitai.com/api/download/models/691639"],"modelName":"FLUX","resourceName":"FLUX","versionName":"Dev","tags":["base model"],"checkPermission":false,"canGenerate":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"hasNSFWContentRestriction":false}}');
INSERT INTO "resources" VALUES('urn:air:flux1:lora:civitai:233497@937698','civitai','937698','233497','urn:air:flux1:lora:civitai:233497@937698
frozen anna elsa -dall-e 3
frozen anna elsa -dall-e 3
flux_v1','{"air":{"source":"civitai","id":"233497","ecosystem":"flux1","type":"lora","version":"937698","format":null},"fields":{"size":306429952,"hashes":{"AutoV1":"C87E3019","AutoV2":"89D939E4D4","CRC32":"59CB7285","SHA256":"89D939E4D444A6E3FB63097A947E1276C93A4717AE696673D6106CDBE1DD529D","BLAKE3":"DCF1EA67915737E3B0F41EB3A66A10CC5C3C2E73579919AFCAF738A1C9903982","AutoV3":"3F34446EC06E"},"downloadUrls":["https://civitai.com/api/download/models/937698"],"modelName":"Frozen anna elsa -Dall-E 3","resourceName":"Frozen anna elsa -Dall-E 3","versionName":"Flux_V1","checkPermission":false,"canGenerate":true,"requiresAuthorization":true,"fileFormat":"safeTensor","hasMatureContentRestriction":false,"popularityRank":0.9,"isFeatured":false,"publishedAt":"2024-10-09T11:54:46.826Z","hasNSFWContentRestriction":false}}');
CREATE TABLE secrets (name TEXT PRIMARY KEY, value BLOB NOT NULL);
INSERT INTO "secrets" VALUES('blob-urls',X'6DC662ADC57B63B8BD9A9F8EEDC9A194E3B71115D485A47A37BF72473706DFD7');
CREATE INDEX "jobs to claim" ON "jobs" (priority DESC, created_at, id)
    WHERE worker_id IS NULL AND outcome IS NULL AND waits = 0
    ;
CREATE INDEX "jobs by worker" ON "jobs" (worker_id)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by lease" ON "jobs" (lease_until)
    WHERE worker_id IS NOT NULL AND outcome IS NULL
    ;
CREATE INDEX "jobs by deadline" ON "jobs" (expire_at) WHERE outcome IS NULL;
CREATE INDEX "jobs that wait" ON "jobs" (id) WHERE waits = 1;
CREATE INDEX "jobs by age" ON "jobs" (created_at, submission_id, id, type);
CREATE INDEX "jobs by consumer" ON "jobs" (issued_by, created_at, submission_id, id, type);
CREATE INDEX "jobs by charge" ON "jobs" (issued_by, cost, charged, outcome)
    WHERE charged = 1 AND (outcome IS NULL OR outcome = 'SUCCEEDED')
    ;
CREATE INDEX "jobs by end" ON "jobs" (changed_at) WHERE outcome IS NOT NULL;
CREATE INDEX "jobs to tell of" ON "jobs" (callback_due_at, id)
    WHERE callback_due_at IS NOT NULL
    ;
CREATE INDEX "jobs to sweep" ON "jobs" (keep_until);
CREATE INDEX "resources by version" ON "resources" (source, version, key);
CREATE INDEX "resources by model" ON "resources" (source, id, key);
CREATE INDEX [blobs to sweep] ON blobs (keep_until);
COMMIT;
PRAGMA user_version = 6;
